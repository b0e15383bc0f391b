// Package audit keeps a signed hash chain of events.
//
// A trail is lines of canonical JSON, LF after each. Line 0 holds the genesis,
// line k event k:
//
//	H_0   = SHA-256(canonical genesis)
//	id_k  = SHA-256(canonical e_k)
//	H_k   = SHA-256(H_{k-1} || id_k), raw 32-byte values
//	sig_k = Ed25519(sk, the 32 raw bytes of H_k)
//
// docs/format.md has the rules. A trail is closed if and only if its last event is
// trail.close.
//
// [Create] and [Open] return a [Log], whose Append signs an event and returns when it is on
// disk. [Events] reads a trail and checks it on the way; [Check] says everything that is
// wrong with one. A trail that never ends, such as the log of a service, has
// [PurposeLedger].
package audit

import (
	"strconv"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// Link returns H_k for H_{k-1} and id_k.
func Link(prev, id sign.Digest) sign.Digest {
	var both [2 * len(sign.Digest{})]byte
	copy(both[copy(both[:], prev[:]):], id[:])
	return sign.Sum(both[:])
}

// A chain is the state of a trail that its next line must follow from. Applying a
// line returns the next chain; nothing else changes it.
//
// As long as no line has a fault, the next line must follow from at. After a line
// with a fault there are two places that the next line may follow from, so that one
// cause leads to one finding:
//
//   - at is the place after the faulty line, as if that line stood for the right
//     one. The number continues from the recorded one after E_SEQUENCE, since the
//     event itself is unchanged then; otherwise it grows by one. The head is the
//     recorded one if sig_k verifies over it, else the computed one if sig_k
//     verifies over that, else the recorded one.
//   - alt is the place before the faulty line, as if that line did not belong
//     there: it was put in, repeated or moved.
//
// The next line is compared with at first. If it does not fit there, but fits alt
// in number, link and signature, it has no fault, and at and alt are exchanged: if
// the faulty line was moved ahead, the line that belongs after it is still to come.
// The first line that fits at removes alt. So the findings are
//
//	edited, damaged        one finding, at its number
//	removed, one or more   E_SEQUENCE at the event after the gap
//	repeated, one or more  E_SEQUENCE at the first
//	put in                 one finding for each line put in
//	two neighbours swapped E_SEQUENCE at the one that came early
//
// A line without a fault is proven by the key if its link could be computed. After
// a line whose H_k cannot be read it could not: the next line has no fault if its
// number and its signature are right, but it is not proven.
type chain struct {
	at     place
	alt    place
	forked bool // whether there is an alt
}

// apply returns the chain after l and the fault of l, or nil; proven says
// whether the link of l to the head before it was checked.
func (c chain) apply(l *parsed, t *trust) (next chain, fault *finding.Finding, proven bool) {
	fault = c.at.follows(l, t)
	if fault == nil {
		return chain{at: c.at.after(l)}, nil, c.at.knowsHeadBefore(l.E.K)
	}
	misplaced := fault.Code == finding.Sequence || fault.Code == finding.ChainLink
	if misplaced && c.forked && c.alt.follows(l, t) == nil {
		return chain{at: c.alt.after(l), alt: c.at, forked: true}, nil, c.alt.knowsHeadBefore(l.E.K)
	}
	fault.Proves = c.at.proof(l, t)
	return c.fork(c.at.afterFaulty(l, fault)), fault, false
}

// skip returns the chain after a line that cannot be read.
func (c chain) skip(line []byte, t *trust) chain { return c.fork(c.at.afterUnreadable(line, t)) }

// fork returns the chain after a line with a fault, of which after is the place
// behind it. After several faulty lines in a row, alt is the place before the first.
func (c chain) fork(after place) chain {
	if !c.forked {
		c.alt, c.forked = c.at, true
	}
	c.at = after
	return c
}

// A place is a point of the chain: the number of the last event and the head
// after it.
type place struct {
	k       int64
	head    sign.Digest
	known   bool  // whether head is; it is not after a line of which nothing can be read
	guessed int64 // the last so many of the k events were counted from unreadable lines
}

// follows checks whether l is the event after p. It returns nil, or the first fault
// that it finds, in this order: E_EVENT_ID, E_SEQUENCE, E_RUN_ID, E_CHAIN_LINK and
// E_SIG_EVENT.
func (p place) follows(l *parsed, t *trust) *finding.Finding {
	e := &l.E
	fault := func(f finding.Finding) *finding.Finding { return &f }
	switch {
	case l.id != l.ID:
		// Whoever changed the event may have changed the number in it, too.
		return fault(finding.New(finding.EventID, "", "id_k is not the digest of the event").At(p.k+1).
			Differs(l.id.String(), l.ID.String()))
	case !p.allows(e.K):
		return fault(finding.New(finding.Sequence, "", p.gapText(e.K)).At(e.K).
			Differs(itoa(p.k+1), itoa(e.K)))
	case e.Run.ID != t.run:
		return fault(finding.New(finding.RunID, "", "the event belongs to another run").At(e.K).
			Differs(t.run, clip(e.Run.ID)))
	case p.knowsHeadBefore(e.K) && Link(p.head, l.id) != l.H:
		return fault(finding.New(finding.ChainLink, "", "H_k does not follow from the head before it and id_k").At(e.K).
			Differs(Link(p.head, l.id).String(), l.H.String()))
	case e.Verifier.PKRef != t.ref:
		return fault(finding.New(finding.SigEvent, "", "the event names another key than the trail").At(e.K).
			Differs(t.ref.String(), e.Verifier.PKRef.String()))
	case t.known && !t.verifies(l.H, l.Sig, l.signed):
		return fault(finding.New(finding.SigEvent, "", "sig_k is not the key's signature of H_k").At(e.K))
	default:
		return nil
	}
}

// allows reports whether event k may come next. Each unreadable line before it was
// counted as an event, but if there were several in a row, some may have been none:
// a line that was split in two is one event. At least one is taken for an event; if
// none was, the next event follows from chain.alt, the place before them all.
func (p place) allows(k int64) bool { return k == p.k+1 || k <= p.k && k > p.k-p.guessed+1 }

// knowsHeadBefore reports whether p has the head before event k, so that the link of
// the event can be checked.
func (p place) knowsHeadBefore(k int64) bool { return p.known && k == p.k+1 }

func (p place) gapText(k int64) string {
	switch {
	case k <= p.k:
		return "an event of a lower number stands here: repeated, or out of order"
	case k == p.k+2:
		return "event " + itoa(p.k+1) + " is missing before this one"
	default:
		return "events " + itoa(p.k+1) + " to " + itoa(k-1) + " are missing before this one"
	}
}

// after returns the place after l, a line that follows from p.
func (p place) after(l *parsed) place { return place{k: l.E.K, head: l.H, known: true} }

// afterFaulty returns the place after l, which has the fault f at p. The number
// continues from the recorded one only if the event itself is unchanged. The head is
// the one over which the signature verifies, or the recorded one if there is none.
func (p place) afterFaulty(l *parsed, f *finding.Finding) place {
	next := place{k: p.k + 1, head: l.H, known: true}
	if f.Code == finding.Sequence {
		next.k = l.E.K
	}
	if f.Proves.Sig == finding.SigOfEvent {
		next.head = Link(p.head, l.id)
	}
	return next
}

// afterUnreadable returns the place after a line that cannot be parsed.
func (p place) afterUnreadable(line []byte, t *trust) place {
	next := place{k: p.k + 1, guessed: p.guessed + 1}
	var computed *sign.Digest
	if e := eventBytes(line); e != nil {
		computed = p.headAfter(sign.Sum(e))
	}
	next.head, next.known = t.nextHead(salvage(line), computed)
	return next
}

// headAfter returns the head after an event with this id, or nil if the head before
// it is not known.
func (p place) headAfter(id sign.Digest) *sign.Digest {
	if !p.known {
		return nil
	}
	h := Link(p.head, id)
	return &h
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// proof says what id_k, H_k and sig_k of a line with a fault still prove. Each of the
// three is compared with the event in the line and with the head at p, whatever is
// wrong with the other two.
func (p place) proof(l *parsed, t *trust) *finding.Proof {
	out := &finding.Proof{ID: finding.IDOfEvent, Head: finding.HeadOpen, Sig: finding.SigUntried}
	if l.id != l.ID {
		out.ID = finding.IDOfOther
	}
	// A changed event may have been given another number, so its number does not show
	// where it stood.
	if p.known && (l.id != l.ID || l.E.K == p.k+1) {
		switch l.H {
		case Link(p.head, l.ID):
			out.Head = finding.HeadOfID
		case Link(p.head, l.id):
			out.Head = finding.HeadOfEvent
		default:
			out.Head = finding.HeadOfOther
		}
	}
	if t.known {
		computed := p.headAfter(l.id)
		switch {
		case t.verifies(l.H, l.Sig, l.signed):
			out.Sig = finding.SigOfHead
		case computed != nil && *computed != l.H && t.verifies(*computed, l.Sig, sigUntried):
			out.Sig = finding.SigOfEvent
		default:
			out.Sig = finding.SigOfOther
		}
	}
	out.Event = eventProof(out)
	return out
}

// eventProof says what the three prove about the event when taken together.
func eventProof(p *finding.Proof) string {
	signed := p.Sig == finding.SigOfHead
	switch {
	case p.Sig == finding.SigUntried:
		return finding.EventUntried
	case p.Sig == finding.SigOfEvent,
		signed && p.Head == finding.HeadOfEvent,
		signed && p.Head == finding.HeadOfID && p.ID == finding.IDOfEvent:
		return finding.EventSigned
	case signed && p.Head == finding.HeadOfID:
		return finding.EventReplaced
	case signed && p.Head == finding.HeadOfOther:
		return finding.EventElsewhere
	case signed:
		return finding.EventOpen
	default:
		return finding.EventUnsigned
	}
}

// trust holds what all events of a trail must agree with, and the key that signs
// them.
type trust struct {
	run         string
	env         Fingerprint
	pipe        Hash
	param       Hash
	ref         sign.KeyID
	key         sign.PublicKey
	known       bool        // the caller trusts ref: signatures are tried
	verifiedKey *sign.KeyID // ref, once a signature of it has verified
}

// verifies reports whether s is the key's signature of the head h. If the signature
// was checked before, known is the result; otherwise it is checked here.
func (t *trust) verifies(h sign.Digest, s sign.Signature, known sigState) bool {
	ok := known == sigGood || known == sigUntried && t.key.Verify(h[:], s)
	if ok && (t.verifiedKey == nil || *t.verifiedKey != t.ref) {
		ref := t.ref
		t.verifiedKey = &ref
	}
	return ok
}

// nextHead returns the head from which the chain goes on after a line with a fault:
// the recorded one if the signature verifies over it, else the computed one if the
// signature verifies over that, else the recorded one. The members of r and computed
// are nil where they cannot be read; known is false if no head can be.
func (t *trust) nextHead(r salvaged, computed *sign.Digest) (head sign.Digest, known bool) {
	try := func(h *sign.Digest, tried sigState) bool {
		return t.known && h != nil && r.sig != nil && t.verifies(*h, *r.sig, tried)
	}
	switch {
	case try(r.h, r.signed):
		return *r.h, true
	case !sameDigest(computed, r.h) && try(computed, sigUntried):
		return *computed, true
	case r.h != nil:
		return *r.h, true
	default:
		return sign.Digest{}, false
	}
}

// lookUp makes id the key that signs, and reports whether it is among the trusted keys.
func (t *trust) lookUp(keys sign.Verifiers, id sign.KeyID) bool {
	t.ref = id
	if keys != nil {
		t.key, t.known = keys.Verifier(id)
	}
	return t.known
}
