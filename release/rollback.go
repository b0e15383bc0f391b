package release

import (
	"strings"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/sign"
)

// Rollback takes a release from its channel because somebody says so.
func (l *Ledger) Rollback(id sign.Digest, actor, reason string) (*gates.Return, error) {
	recs, err := l.append(func(now gates.Event) ([]note, error) {
		r := l.State.Release(id)
		switch {
		case r == nil:
			return nil, refuse("relseal release status shows what stands where", "the bundle %s came to no channel of this ledger", id)
		case r.Rollback != nil:
			return nil, refuse("", "the bundle was rolled back before, by event %d", r.Rollback.Event.K)
		case r.Move != nil && r.Move.Sealed != nil:
			return nil, refuse("roll back "+r.Move.Sealed.Bundle.String(), "the bundle went on to %s", r.Move.To)
		}
		d, _, fault := l.State.RollbackOf(r, now.TimeMS, true)
		if fault != nil {
			return nil, fault
		}
		return []note{{action: gates.ActionRollback, actor: actor, notes: reason, details: d}}, nil
	})
	if err != nil {
		return nil, err
	}
	return l.State.RollbackAt(recs[0].E.K), nil
}

// Done records that a rollback took effect, which closes its clock.
func (l *Ledger) Done(id sign.Digest, actor string) (*gates.Return, error) {
	_, err := l.append(func(now gates.Event) ([]note, error) {
		r := l.State.Release(id)
		switch {
		case r == nil || r.Rollback == nil:
			return nil, refuse("relseal release status shows what stands where", "no rollback of the bundle %s is under way", id)
		case r.Rollback.Done != nil:
			return nil, refuse("", "its rollback was done before, by event %d", r.Rollback.DoneK)
		}
		d := r.Rollback.Finish(now)
		n := note{action: gates.ActionRollbackDone, actor: actor, details: d}
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

func list(names []string) string { return strings.Join(names, ", ") }
