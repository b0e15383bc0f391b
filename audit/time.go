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

// A ClockError reports a clock that does not fit what is on record. Nothing that it
// has dated can be taken out of a trail again: one event from the future, and every
// event by a right clock is out of order until that time has come.
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
// latest time that is on record, or more than ClockAhead after it. A trail may have
// been idle for longer: vouched says that somebody has looked at the clock and says so.
// Nothing offline tells the two apart.
func ClockFault(latest, now time.Time, vouched bool) error {
	if ahead := now.Sub(latest); ahead < -slack || ahead > ClockAhead && !vouched {
		return &ClockError{latest, now}
	}
	return nil
}

// slack is how far ts may step back between two events for a note: clocks are
// disciplined in small steps.
const slack = time.Second

// times are the last readings of the clocks. An event is compared with the one
// before it by number: one out of place has a finding for that already.
type times struct {
	k    int64
	ts   Time
	tau  map[sign.Digest]*tick // by the digest of the clock's name
	some bool

	name string // the clock that was read last
	last *tick  // and its reading: most trails have one clock
}

type tick struct{ k, tau int64 }

// fault returns the E_TIME_ORDER of e, or nil. The writer records what its clock
// says; that time went back is for the reader to judge.
func (t *times) fault(e *Event) *finding.Finding {
	last := t.of(e.Clock)
	switch {
	case last != nil && e.K > last.k && e.TauMonoUS < last.tau:
		f := finding.New(finding.TimeOrder, "", "tau_mono_us goes back within one clock").At(e.K).
			Differs("at least "+itoa(last.tau), itoa(e.TauMonoUS))
		return &f
	case t.some && e.K > t.k && e.TS.Before(t.ts.Time):
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

func (t *times) add(e *Event) {
	if !t.some || e.K > t.k {
		t.k, t.ts, t.some = e.K, e.TS, true
	}
	last := t.of(e.Clock)
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

// of returns the last reading of a clock, nil if there is none.
func (t *times) of(clock string) *tick {
	if t.last != nil && t.name == clock {
		return t.last
	}
	return t.tau[sign.Sum([]byte(clock))]
}
