// Package seen hands what was read of a ledger from who read it to who verifies the
// bundle that holds it. Whoever promotes a release reads its ledger, decides, and verifies
// the new bundle: for that the ledger, whose bytes have the digest that was taken while
// they were read, is not read a second time.
package seen

import (
	"context"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/sign"
)

// A Ledger is what its lines say, up to the last one. One key signed all of them, none has
// a finding, and each event follows from those before it.
type Ledger struct {
	audit.Checked
	Key   sign.PublicKey
	State *ledger.State
	Came  map[sign.Digest]time.Time // the time of the bundle.sealed of each bundle
	Marks map[int64]Mark            // where it stood after the events that somebody knows
}

// A Mark is where a ledger stood after an event.
type Mark struct {
	HK sign.Digest
	TS time.Time // the greatest ts up to it
}

type key struct{}

// With returns a context in which verifying knows what was read.
func With(ctx context.Context, l *Ledger) context.Context { return context.WithValue(ctx, key{}, l) }

// Of returns what was read, nil for nothing.
func Of(ctx context.Context) *Ledger {
	l, _ := ctx.Value(key{}).(*Ledger)
	return l
}
