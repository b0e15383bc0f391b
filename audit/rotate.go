package audit

import (
	"errors"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// The actions by which a ledger changes its key. The present key signs key.rotate, which
// names the next key. The event after that is key.accept, signed by the next key, and
// from there on only that key signs. So the place in the chain decides which key may
// sign, and an older key signs nothing more. A run has one key.
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

// changesKey reports whether an action is key.rotate or key.accept.
func changesKey(action string) bool { return action == ActionKeyRotate || action == ActionKeyAccept }

// A keyHistory is what a judge knows of the keys of a ledger.
type keyHistory struct {
	rotated bool // the event before was key.rotate
	earlier []sign.KeyID
	signers []Signer // those before the present one
	since   *Time    // the time of the first event of the present one
}

func (j *judge) isLedger() bool { return j.genesis != nil && j.genesis.Purpose == PurposeLedger }

// rotationFault returns why e is not allowed here by the rules of key.rotate, or "".
func (j *judge) rotationFault(e *Event) string {
	switch {
	case !j.isLedger():
		return ""
	case j.keys.rotated && e.Action != ActionKeyAccept:
		return "after " + ActionKeyRotate + " comes " + ActionKeyAccept
	case !j.keys.rotated && e.Action == ActionKeyAccept && j.intact: // in a damaged trail, key.rotate may be missing
		return ActionKeyAccept + " without " + ActionKeyRotate + " before it"
	case e.Action == ActionKeyRotate:
		next, ok := namedKey(e)
		if !ok {
			return ActionKeyRotate + " names no key"
		}
		for _, earlier := range append(j.keys.earlier, j.trust.ref) {
			if next == earlier {
				return ActionKeyRotate + " names a key that has signed before"
			}
		}
	}
	return ""
}

// namedKey returns the key that a key.rotate names.
func namedKey(e *Event) (sign.KeyID, bool) {
	var r Rotation
	if len(e.Details) == 0 || canon.Unmarshal(e.Details, &r) != nil {
		return sign.KeyID{}, false
	}
	return r.To, true
}

// advanceKey takes in an event that follows from the chain. After key.rotate, the key that
// it names signs.
func (j *judge) advanceKey(e *Event) {
	if !j.isLedger() {
		return
	}
	if j.keys.since == nil {
		since := *j.latestTS // not before the times that earlier keys have signed
		j.keys.since = &since
	}
	j.keys.rotated = false // if e should be key.accept and is not, that is one finding
	if e.Action != ActionKeyRotate {
		return
	}
	next, ok := namedKey(e)
	if !ok {
		return // rotationFault has reported it
	}
	j.keys.rotated = true
	j.switchKey(next)
	if !j.trust.known {
		j.report(finding.New(finding.KeyUnknown, "", "the ledger goes on with a key that is not trusted; its signatures were not tried").At(e.K+1).
			Differs("a trusted key", next.String()))
	}
}

// switchKey makes next the key that signs from now on.
func (j *judge) switchKey(next sign.KeyID) {
	j.keys.signers = j.signers()
	j.keys.earlier = append(j.keys.earlier, j.trust.ref)
	j.keys.since = nil
	j.trust.key = sign.PublicKey{}
	j.trust.known = false
	j.trust.lookUp(j.o.Keys, next)
}

// signers returns the keys of which a signature has verified, in their order.
func (j *judge) signers() []Signer {
	list := j.keys.signers
	if used := j.trust.verifiedKey; used != nil && *used == j.trust.ref {
		s := Signer{Key: *used, First: j.first, Last: j.latestTS}
		if j.isLedger() {
			s.First = j.keys.since
		}
		if s.First != nil && j.latestTS != nil {
			last := *j.latestTS
			s.Last = &last
		} else {
			s.Last = nil
		}
		list = append(list[:len(list):len(list)], s)
	}
	return list
}

// acceptUnannounced switches to the key of a key.accept whose key.rotate is damaged or
// missing. That has its finding; without the switch every later event would have one, too.
func (j *judge) acceptUnannounced(l *parsed) {
	e := &l.E
	if e.Action != ActionKeyAccept || j.keys.rotated || e.Verifier.PKRef == j.trust.ref || !j.isLedger() || j.o.Keys == nil {
		return
	}
	if key, ok := j.o.Keys.Verifier(e.Verifier.PKRef); ok && key.Verify(l.H[:], l.Sig) {
		j.switchKey(e.Verifier.PKRef)
		l.signed = sigGood
	}
}

// HandOver appends the key.rotate that names next as the key of a ledger. After that
// nothing that this log's key signs is accepted. The holder of the other key continues
// with [Log.Accept], so that nobody needs both keys. d says who did it and why.
func (l *Log) HandOver(d Draft, next sign.PublicKey) error {
	if !l.isLedger() {
		return errors.New("a run has one key: only a ledger is handed over")
	}
	details, err := canon.Marshal(Rotation{next.KeyID()})
	if err != nil {
		return err
	}
	d.Action, d.Details = ActionKeyRotate, details
	_, err = l.AppendAll([]Draft{d})
	return err
}

// Accept appends the key.accept with which the log's key takes over. It returns an error if
// the last event is not key.rotate.
func (l *Log) Accept(d Draft) error {
	l.mu.Lock()
	due := l.judge.keys.rotated
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

// checkKey returns a KeyError if another key than the log's own signs the next event.
func (l *Log) checkKey() error {
	if want, got := l.judge.trust.ref, l.signer.Public().KeyID(); want != got {
		return &KeyError{l.path, want, got}
	}
	return nil
}
