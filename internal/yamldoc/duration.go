package yamldoc

import (
	"fmt"
	"math"
	"strconv"

	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/lazyregexp"
)

var durationForm = lazyregexp.New(`^(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$`)

var durationUnits = [...]int64{86_400_000, 3_600_000, 60_000, 1000, 1}

// ParseDuration returns the milliseconds of a duration: whole numbers of d (24
// hours), h, m, s and ms in that order, at least one of them, as in 1h30m or 0s.
// It is less than time.ParseDuration takes: no sign, no fraction, nothing
// below the millisecond, so that nothing is rounded. What does not fit into
// a time.Duration is refused.
func ParseDuration(s string) (int64, error) {
	parts := durationForm.FindStringSubmatch(s)
	if parts == nil || s == "" {
		return 0, fmt.Errorf("%s is not a duration", document.Quote(s))
	}
	const most = math.MaxInt64 / 1_000_000 // milliseconds in a time.Duration
	var ms int64
	for i, digits := range parts[1:] {
		if digits == "" {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > (most-ms)/durationUnits[i] {
			return 0, fmt.Errorf("%s is longer than 292 years", document.Quote(s))
		}
		ms += n * durationUnits[i]
	}
	return ms, nil
}
