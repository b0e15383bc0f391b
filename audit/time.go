package audit

import (
	"fmt"
	"strings"
	"time"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/sign"
)

// Time is a point in time in UTC with microseconds. As text it is RFC 3339 with
// exactly six decimals and Z.
type Time struct{ time.Time }

const timeLayout = "2006-01-02T15:04:05.000000Z"

// NewTime returns t in UTC, cut to microseconds.
func NewTime(t time.Time) Time { return Time{t.UTC().Truncate(time.Microsecond)} }

func (t Time) String() string { return t.UTC().Format(timeLayout) }

func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

func (t *Time) UnmarshalJSON(data []byte) error {
	s := strings.Trim(string(data), `"`)
	v, err := time.Parse(timeLayout, s)
	if err != nil || len(data) != len(s)+2 || (Time{v}).String() != s {
		return fmt.Errorf("want a time as %s", timeLayout)
	}
	*t = Time{v.UTC()}
	return nil
}

// A Clock tells the wall time, the monotonic time in microseconds and the
// opaque name of the monotonic clock, one per boot and host.
type Clock interface {
	Now() (ts time.Time, tauMonoUS int64, clock string)
}

// SystemClock returns the clock of this machine.
func SystemClock() Clock { return clock.System() }

// ClockAhead is how far a clock may be ahead of everything on record before somebody
// has to vouch for it.
const ClockAhead = 2 * time.Hour

// A ClockError reports a clock that does not fit the times on record. An event cannot
// be removed from a trail: after one with a time in the future, every event with the
// right time is out of order until that time has come.
type ClockError struct {
	Latest time.Time // on record
	Now    time.Time // by the clock
}

// Ahead reports whether the clock is ahead; else it is behind.
func (e *ClockError) Ahead() bool { return e.Now.After(e.Latest) }

func (e *ClockError) Error() string {
	if e.Ahead() {
		return fmt.Sprintf("the clock of this machine says %s, %s after everything on record: nothing shows that it is right", NewTime(e.Now), e.Now.Sub(e.Latest).Round(time.Minute))
	}
	return fmt.Sprintf("the clock of this machine says %s, %s before the latest time on record, %s", NewTime(e.Now), e.Latest.Sub(e.Now).Round(time.Millisecond), NewTime(e.Latest))
}

// ClockFault returns a [*ClockError] if now is more than a second before latest, the
// latest time that is on record, or more than ClockAhead after it. A trail that was
// idle for longer looks the same as a clock that is ahead, so somebody has to look at
// the clock; vouched says that somebody has.
func ClockFault(latest, now time.Time, vouched bool) error {
	if ahead := now.Sub(latest); ahead < -slack || ahead > ClockAhead && !vouched {
		return &ClockError{latest, now}
	}
	return nil
}

// slack is how far ts may go back between two events and be a note only, because
// clocks are corrected in small steps.
const slack = time.Second

// times are the last readings of the clocks. An event is compared with them only if
// its number is higher than theirs: one that is out of order has a finding already.
type times struct {
	k   int64
	ts  Time
	tau map[sign.Digest]*tick // by the digest of the clock's name
	set bool

	// The clock of the last event and its reading, which saves a digest for each event
	// because most trails have one clock.
	name string
	last *tick
}

type tick struct{ k, tau int64 }

// fault returns the E_TIME_ORDER of e, or nil. A log records what its clock says, and
// whoever reads the trail judges whether the time went back.
func (t *times) fault(e *Event) *finding.Finding {
	last := t.tickOf(e.Clock)
	switch {
	case last != nil && e.K > last.k && e.TauMonoUS < last.tau:
		f := finding.New(finding.TimeOrder, "", "tau_mono_us goes back within one clock").At(e.K).
			Differs("at least "+itoa(last.tau), itoa(e.TauMonoUS))
		return &f
	case t.set && e.K > t.k && e.TS.Before(t.ts.Time):
		f := finding.New(finding.TimeOrder, "", "ts goes back").At(e.K).
			Differs("at least "+t.ts.String(), e.TS.String())
		if t.ts.Sub(e.TS.Time) <= slack {
			f = f.As(finding.Note)
		}
		return &f
	default:
		return nil
	}
}

// add takes over the readings of e.
func (t *times) add(e *Event) {
	if !t.set || e.K > t.k {
		t.k, t.ts, t.set = e.K, e.TS, true
	}
	last := t.tickOf(e.Clock)
	if last == nil {
		if t.tau == nil {
			t.tau = map[sign.Digest]*tick{}
		}
		last = new(tick)
		t.tau[sign.Sum([]byte(e.Clock))] = last
	}
	if e.K > last.k {
		*last = tick{e.K, e.TauMonoUS}
	}
	t.name, t.last = e.Clock, last
}

// tickOf returns the last reading of a clock, nil if there is none.
func (t *times) tickOf(clock string) *tick {
	if t.last != nil && t.name == clock {
		return t.last
	}
	return t.tau[sign.Sum([]byte(clock))]
}
