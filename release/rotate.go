package release

import (
	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/sign"
)

// HandOver makes to the key that signs the ledger from the next event on, see
// [audit.Log.HandOver]; Accept takes the ledger over with the key of the options.
func (l *Ledger) HandOver(to sign.PublicKey, notes string) error {
	return l.turn(notes, func(d audit.Draft) error { return l.log.HandOver(d, to) })
}

// Accept is the first that the next key signs.
func (l *Ledger) Accept(notes string) error { return l.turn(notes, l.log.Accept) }

func (l *Ledger) turn(notes string, do func(audit.Draft) error) error {
	now := l.clock.hold()
	defer l.clock.release()
	n := note{notes: notes}
	if err := l.inTime([]note{n}, now); err != nil {
		return err
	}
	d := audit.Draft{Actor: audit.Txt(l.o.Actor), Code: sign.Sum([]byte(l.o.Producer))}
	if notes != "" {
		d.Notes = audit.Txt(notes)
	}
	return do(d)
}

// Head returns where the ledger stands.
func (l *Ledger) Head() Head {
	k, hk := l.log.Head()
	return Head{l.log.H0(), k, hk}
}
