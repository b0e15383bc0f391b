package release

import (
	"fmt"
	"time"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/finding"
)

const (
	// slackMS is how far ts may go back for a note, see E_TIME_ORDER.
	slackMS = 1000

	// aheadMS is how far a clock may be ahead of everything on record before
	// something has to speak for it.
	aheadMS = 2 * 60 * 60 * 1000
)

// inTime refuses to record a time that a ledger can never be rid of. One that goes
// back would leave every later bundle undecided; one that lies in the future would
// make every right clock late until time has caught up. Rolling back waits for no
// clock.
func (l *Ledger) inTime(notes []note, now gates.Event) error {
	switch action := notes[0].action; {
	case action == gates.ActionRollback || action == gates.ActionRollbackDone:
		return nil
	case l.LastMS-now.TimeMS > slackMS:
		return &RefusedError{Code: finding.TimeOrder, Undecided: true, Hint: "mend the clock of this machine, or wait until it has caught up",
			Text: fmt.Sprintf("the clock is %s behind event %d of the ledger", msText(l.LastMS-now.TimeMS), l.K)}
	case now.TimeMS-l.latest(notes, now) > aheadMS && !l.clock.synchronised():
		return &RefusedError{Code: finding.TimebaseSkew, Undecided: true, Hint: "mend the clock of this machine; if it is right and the ledger has rested, --now " + utc(now.TimeMS) + " says so",
			Text: fmt.Sprintf("the clock is %s ahead of everything on record; event %d is of %s", msText(now.TimeMS-l.latest(notes, now)), l.K, utc(l.LastMS))}
	}
	return nil
}

// latest returns the latest time, in ms, that something beside the clock speaks for:
// the last event, carried on by the monotonic clock where that is the same one; the
// windows that are to be appended; what the caller says.
func (l *Ledger) latest(notes []note, now gates.Event) int64 {
	at := max(l.LastMS, l.last.TimeMS, l.o.NowMS)
	if l.last.Clock == now.Clock && now.MonoMS > l.last.MonoMS {
		at = max(at, l.LastMS+now.MonoMS-l.last.MonoMS)
	}
	for _, n := range notes {
		if w, ok := n.details.(gates.Windowed); ok {
			at = max(at, w.Window.EndMS)
		}
	}
	return at
}

func msText(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	if d > time.Minute {
		d = d.Round(time.Second)
	}
	return d.String()
}

func utc(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
