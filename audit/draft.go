package audit

import (
	"time"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// A Draft is what a producer says of an event; the log stamps the rest: number,
// time, clock, run, cards, environment and key, all under the append lock.
type Draft struct {
	Actor    Text
	Action   string
	Code     sign.Digest // of the step's canonical definition, or of the producer's version
	Seed     *string
	Inputs   []Item
	Outputs  []Item
	Path     Text
	Snapshot map[string]canon.Decimal
	Notes    Text
	Status   string
	Error    Text
	Details  canon.Value
}

// A Clock tells the wall time, the monotonic time in microseconds and the
// opaque name of the monotonic clock, one per boot and host.
type Clock interface {
	Now() (ts time.Time, tauMonoUS int64, clock string)
}
