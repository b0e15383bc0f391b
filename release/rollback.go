package release

import (
	"strings"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/sign"
)

// Rollback takes a release from its channel because somebody says so. One that was
// rolled back before stays as it is.
func (l *Ledger) Rollback(id sign.Digest, actor, reason string) (*ledger.Rollback, error) {
	_, err := l.append(func(now ledger.Event) ([]note, error) {
		r := l.State.Release(id)
		switch {
		case r == nil:
			return nil, refuse("relseal release status shows what stands where", "the bundle %s came to no channel of this ledger", id)
		case r.Rollback != nil:
			return nil, nil
		case r.Move != nil && r.Move.Sealed != nil:
			return nil, refuse("roll back "+r.Move.Sealed.Bundle.String(), "the bundle went on to %s", r.Move.To)
		}
		d, _, fault := l.State.RollbackOf(r, now.TimeMS, true)
		if fault != nil {
			return nil, fault
		}
		return []note{{action: ledger.ActionRollback, actor: actor, notes: reason, details: d}}, nil
	})
	if err != nil {
		return nil, err
	}
	return l.State.Release(id).Rollback, nil
}

// Done records that a rollback took effect, which closes its clock. Where that was
// recorded before, it stays as it is.
func (l *Ledger) Done(id sign.Digest, actor string) (*ledger.Rollback, error) {
	_, err := l.append(func(now ledger.Event) ([]note, error) {
		r := l.State.Release(id)
		switch {
		case r == nil || r.Rollback == nil:
			return nil, refuse("relseal release status shows what stands where", "no rollback of the bundle %s is under way", id)
		case r.Rollback.Done != nil:
			return nil, nil
		}
		d := r.Rollback.Finish(now)
		n := note{action: ledger.ActionRollbackDone, actor: actor, details: d}
		if d.Reason != nil {
			n.failed = *d.Reason
		}
		return []note{n}, nil
	})
	if err != nil {
		return nil, err
	}
	return l.State.Release(id).Rollback, nil
}

// takeBack returns the event that takes a release back because its windows, or
// those of a channel below, trigger.
func (l *Ledger) takeBack(j *ledger.Judgement, now ledger.Event) ([]note, error) {
	r := j.Release
	n := note{action: ledger.ActionRollback}
	own := j.Outcome() == gates.Rollback
	switch {
	case !own:
		// No decision of the past is made again: what came late is answered now, and
		// the clock of the rollback starts now.
		n.notes = "late=true: a window of the channel below came after the promotion, and triggers"
	case r.Move != nil:
		n.notes = "late=true: a window came after the promotion, whose bundle is not recorded, and rolls back"
	}
	d, _, fault := l.State.RollbackOf(r, now.TimeMS, !own)
	if fault != nil {
		return nil, fault
	}
	n.details = d
	return []note{n}, nil
}

// rollbackLate records the rollbacks that are due because windows came after the
// promotion of their release. Each is an append of its own: where it leads back to
// depends on those before it.
func (l *Ledger) rollbackLate() (all []*ledger.Rollback, err error) {
	for {
		recs, err := l.append(func(now ledger.Event) ([]note, error) {
			for _, r := range l.State.Releases() {
				if r.Move == nil || r.Last < r.Move.K {
					continue // no window is late
				}
				top := top(r)
				if top.Rollback != nil {
					continue
				}
				j, err := l.State.Judge(top, now.TimeMS)
				if err != nil {
					return nil, err
				}
				if j.Triggered() || top == r && j.Outcome() == gates.Rollback {
					return l.takeBack(j, now)
				}
			}
			return nil, nil
		})
		if err != nil || len(recs) == 0 {
			return all, err
		}
		all = append(all, l.State.Rollback(recs[0].E.K))
	}
}

// top returns what became of r in the end.
func top(r *ledger.Release) *ledger.Release {
	for next := r.Became(); next != nil; next = next.Became() {
		r = next
	}
	return r
}

func list(names []string) string { return strings.Join(names, ", ") }
