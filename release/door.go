package release

import (
	"fmt"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates/ledger"
)

// inTime refuses to record a time that a ledger can never be rid of, see
// [audit.ClockFault]. Rolling back waits for no clock.
func (l *Ledger) inTime(notes []note, now ledger.Event) error {
	if a := notes[0].action; a == ledger.ActionRollback || a == ledger.ActionRollbackDone {
		return nil
	}
	at := time.UnixMilli(now.TimeMS)
	if err := audit.ClockFault(time.UnixMilli(l.LastMS), at, true); err != nil {
		return &RefusedError{Code: finding.TimeOrder, Undecided: true, Text: err.Error(), Next: "mend the clock of this machine, or wait until it has caught up"}
	}
	latest := time.UnixMilli(min(l.latest(notes, now), now.TimeMS))
	if err := audit.ClockFault(latest, at, l.clock.synchronised()); err != nil {
		return &RefusedError{Code: finding.TimebaseSkew, Undecided: true, Text: err.Error(),
			Next: "mend the clock of this machine; if it is right and the ledger has rested, --now " + at.UTC().Format(time.RFC3339) + " says so"}
	}
	return nil
}

// agreed refuses somebody's word about the time that is not that of the clock: one of the
// two is wrong, and the events would have that of the clock.
func (o *Options) agreed() error {
	if o.NowMS == 0 {
		return nil
	}
	said := time.UnixMilli(o.NowMS).UTC()
	now, _, _ := o.Clock.Now()
	if off := now.Sub(said).Abs(); off > audit.ClockAhead {
		return &RefusedError{Code: finding.TimebaseSkew, Undecided: true,
			Text: fmt.Sprintf("somebody says that it is %s, and the clock of this machine says %s: %s apart", said.Format(time.RFC3339), now.UTC().Format(time.RFC3339), off.Round(time.Minute)),
			Next: "mend the clock of this machine, or say the time that it is now: --now is no way to act at another one"}
	}
	return nil
}

// latest returns the latest time, in ms, that something beside the clock speaks for:
// the last event, carried on by the monotonic clock where that is the same one; the
// windows that are to be appended; what the caller says.
func (l *Ledger) latest(notes []note, now ledger.Event) int64 {
	at := max(l.LastMS, l.last.TimeMS, l.o.NowMS)
	if l.last.Clock == now.Clock && now.MonoMS > l.last.MonoMS {
		at = max(at, l.LastMS+now.MonoMS-l.last.MonoMS)
	}
	for _, n := range notes {
		if w, ok := n.details.(ledger.Windowed); ok {
			at = max(at, w.Window.EndMS)
		}
	}
	return at
}

// Whole returns why nothing can be built on the ledger, nil if it can: an event of it does
// not follow, and nobody can say what stands. Rolling back is possible all the same.
func (v *View) Whole() error {
	if len(v.Faults) == 0 {
		return nil
	}
	f := v.Faults[0]
	return &RefusedError{Code: finding.Code(f.Code), Text: fmt.Sprintf("event %d of the ledger does not follow: %s", f.K, f.Text),
		Next: "relseal release status lists all that does not follow; relseal release init starts another ledger, and a release goes on there as a new canary"}
}

// room refuses what a ledger has too much of: whoever reads it would take in nothing
// that follows.
func (l *Ledger) room(notes []note) error {
	if a := notes[0].action; a != ledger.ActionRollback && a != ledger.ActionRollbackDone {
		if err := l.Whole(); err != nil {
			return err
		}
	}
	for _, n := range notes {
		if why := l.State.Room(n.action); why != "" {
			return refuse("relseal release init starts another ledger; a release goes on there as a new canary", "the ledger is full: %s", why)
		}
	}
	return nil
}
