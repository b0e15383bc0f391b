package audit

import (
	"time"

	"github.com/relseal/relseal/internal/finding"
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
	tau  map[sign.Digest]tick // by the digest of the clock's name
	some bool
}

type tick struct{ k, tau int64 }

// fault returns the E_TIME_ORDER of e, or nil. The writer records what its clock
// says; that time went back is for the reader to judge.
func (t *times) fault(e *Event) *finding.Finding {
	var f finding.Finding
	last, seen := t.tau[clockOf(e)]
	switch {
	case seen && e.K > last.k && e.TauMonoUS < last.tau:
		f = finding.New(finding.TimeOrder, "", "tau_mono_us goes back within one clock").At(e.K).
			Differs("at least "+itoa(last.tau), itoa(e.TauMonoUS))
	case t.some && e.K > t.k && e.TS.Before(t.ts.Time):
		f = finding.New(finding.TimeOrder, "", "ts goes back").At(e.K).
			Differs("at least "+t.ts.String(), e.TS.String())
		if t.ts.Sub(e.TS.Time) <= slack {
			f = f.As(finding.Note)
		}
	default:
		return nil
	}
	return &f
}

func (t *times) add(e *Event) {
	if !t.some || e.K > t.k {
		t.k, t.ts, t.some = e.K, e.TS, true
	}
	if t.tau == nil {
		t.tau = map[sign.Digest]tick{}
	}
	if c := clockOf(e); e.K > t.tau[c].k {
		t.tau[c] = tick{e.K, e.TauMonoUS}
	}
}

func clockOf(e *Event) sign.Digest { return sign.Sum([]byte(e.Clock)) }
