package audit

import (
	"errors"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// The actions by which a ledger changes its key. The key that signs so far names the
// next one in key.rotate; the event after that is key.accept, signed by the next one,
// and from there on only that key signs. So the place in the chain says which key may
// sign, whoever holds an older one. A run has one key.
const (
	ActionKeyRotate = "key.rotate" // details are a Rotation
	ActionKeyAccept = "key.accept"
)

// A Rotation names the key that signs from the next event on.
type Rotation struct {
	To sign.KeyID `json:"to"`
}

// A Signer is a key that signed a part of a trail.
type Signer struct {
	Key         sign.KeyID
	First, Last *Time // the times of its first and last event without a finding of the chain; nil if it has none
}

// turns reports whether an action is one of the two.
func turns(action string) bool { return action == ActionKeyRotate || action == ActionKeyAccept }

// A turning is what a judge knows of the keys of a ledger.
type turning struct {
	rotated bool // the event before was key.rotate
	past    []sign.KeyID
	signers []Signer // those before the present one
	from    *Time    // the time of the first event of the present one
}

func (j *judge) isLedger() bool { return j.genesis != nil && j.genesis.Purpose == PurposeLedger }

// turnFault returns why e may not stand here, or "".
func (j *judge) turnFault(e *Event) string {
	switch {
	case !j.isLedger():
		return ""
	case j.turning.rotated && e.Action != ActionKeyAccept:
		return "after " + ActionKeyRotate + " comes " + ActionKeyAccept
	case !j.turning.rotated && e.Action == ActionKeyAccept && j.intact: // else it may only have lost it
		return ActionKeyAccept + " without " + ActionKeyRotate + " before it"
	case e.Action == ActionKeyRotate:
		to, ok := nextKey(e)
		if !ok {
			return ActionKeyRotate + " names no key"
		}
		for _, past := range append(j.turning.past, j.trust.ref) {
			if to == past {
				return ActionKeyRotate + " names a key that has signed before"
			}
		}
	}
	return ""
}

func nextKey(e *Event) (sign.KeyID, bool) {
	var r Rotation
	if len(e.Details) == 0 || canon.Unmarshal(e.Details, &r) != nil {
		return sign.KeyID{}, false
	}
	return r.To, true
}

// turn goes on past an event that follows from the chain and may stand where it does.
func (j *judge) turn(e *Event) {
	if !j.isLedger() {
		return
	}
	if j.turning.from == nil {
		from := *j.to // what is older than the key before it is on record already
		j.turning.from = &from
	}
	j.turning.rotated = false // a wrong event in the place of key.accept is one finding
	if e.Action != ActionKeyRotate {
		return
	}
	to, ok := nextKey(e)
	if !ok {
		return // has its finding
	}
	j.turning.rotated = true
	j.hand(to)
	if !j.trust.known {
		j.report(finding.New(finding.KeyUnknown, "", "the ledger goes on with a key that is not trusted; its signatures were not tried").At(e.K+1).
			Differs("a trusted key", to.String()))
	}
}

// hand makes to the key that signs from now on.
func (j *judge) hand(to sign.KeyID) {
	j.turning.signers = j.signers()
	j.turning.past = append(j.turning.past, j.trust.ref)
	j.turning.from = nil
	j.trust.key = sign.PublicKey{}
	j.trust.known = false
	j.trust.lookUp(j.o.Keys, to)
}

// signers returns the keys of which a signature has verified, in their order.
func (j *judge) signers() []Signer {
	list := j.turning.signers
	if used := j.trust.used; used != nil && *used == j.trust.ref {
		s := Signer{Key: *used, First: j.from, Last: j.to}
		if j.isLedger() {
			s.First = j.turning.from
		}
		if s.First != nil && j.to != nil {
			last := *j.to
			s.Last = &last
		} else {
			s.Last = nil
		}
		list = append(list[:len(list):len(list)], s)
	}
	return list
}

// turnedUnseen takes up the key of a key.accept whose key.rotate was damaged or is
// missing, which has its finding: else each event after it would have one of its own.
func (j *judge) turnedUnseen(l *parsed) {
	e := &l.E
	if e.Action != ActionKeyAccept || j.turning.rotated || e.Verifier.PKRef == j.trust.ref || !j.isLedger() || j.o.Keys == nil {
		return
	}
	if key, ok := j.o.Keys.Verifier(e.Verifier.PKRef); ok && key.Verify(l.H[:], l.Sig) {
		j.hand(e.Verifier.PKRef)
		l.signed = holds
	}
}

// HandOver appends the key.rotate that makes to the key of a ledger: nothing that this
// log's key signs counts any more. Whoever holds the other key goes on with
// [Log.Accept]; the two keys never meet. d says who did it and why.
func (l *Log) HandOver(d Draft, to sign.PublicKey) error {
	if !l.isLedger() {
		return errors.New("a run has one key: only a ledger is handed over")
	}
	details, err := canon.Marshal(Rotation{to.KeyID()})
	if err != nil {
		return err
	}
	d.Action, d.Details = ActionKeyRotate, details
	_, err = l.AppendAll([]Draft{d})
	return err
}

// Accept appends the key.accept that is due to the log's key; it is an error if none is.
func (l *Log) Accept(d Draft) error {
	l.mu.Lock()
	due := l.judge.turning.rotated
	l.mu.Unlock()
	if !due {
		return errors.New("no " + ActionKeyRotate + " waits for its " + ActionKeyAccept)
	}
	d.Action, d.Details = ActionKeyAccept, nil
	_, err := l.AppendAll([]Draft{d})
	return err
}

func (l *Log) isLedger() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.judge.isLedger()
}

// mine returns a KeyError if another key than the log's own signs now.
func (l *Log) mine() error {
	if want, got := l.judge.trust.ref, l.signer.Public().KeyID(); want != got {
		return &KeyError{l.path, want, got}
	}
	return nil
}
