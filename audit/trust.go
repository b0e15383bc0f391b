package audit

import "github.com/relseal/relseal/sign"

// trust is what all events of a trail must agree with, and the key that signs
// them.
type trust struct {
	run   string
	env   Fingerprint
	pipe  Hash
	param Hash
	ref   sign.KeyID
	key   sign.PublicKey
	known bool        // the caller trusts ref: signatures are tried
	used  *sign.KeyID // ref, once a signature of it has verified
}

// signed reports whether s is the key's signature of the head h. If that was
// found out before, tried says so; every other signature of a trail is checked
// here.
func (t *trust) signed(h sign.Digest, s sign.Signature, tried verdict) bool {
	ok := tried == holds || tried == untried && t.key.Verify(h[:], s)
	if ok && (t.used == nil || *t.used != t.ref) {
		ref := t.ref
		t.used = &ref
	}
	return ok
}

// resume returns the head from which the chain goes on after a line that has a
// fault: the recorded one if the signature verifies over it, else the computed
// one if it verifies over that, else the recorded. What cannot be read is nil;
// known is false if nothing is left.
func (t *trust) resume(r remains, computed *sign.Digest) (head sign.Digest, known bool) {
	try := func(h *sign.Digest, tried verdict) bool {
		return t.known && h != nil && r.sig != nil && t.signed(*h, *r.sig, tried)
	}
	switch {
	case try(r.h, r.signed):
		return *r.h, true
	case !sameDigest(computed, r.h) && try(computed, untried):
		return *computed, true
	case r.h != nil:
		return *r.h, true
	default:
		return sign.Digest{}, false
	}
}

// lookUp asks keys whether they trust id.
func (t *trust) lookUp(keys sign.Verifiers, id sign.KeyID) bool {
	t.ref = id
	if keys != nil {
		t.key, t.known = keys.Verifier(id)
	}
	return t.known
}
