package audit

import (
	"time"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

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
