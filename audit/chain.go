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
// The rule is S32-30 of the specification. A trail is closed iff its last event
// is trail.close.
//
// [Create] and [Open] return a [Log], whose Append signs an event and returns when it is on
// disk. [Events] reads a trail and checks it on the way; [Check] says everything that is
// wrong with one. A log of anything that goes on for ever is of [PurposeLedger].
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

// A chain is what the next line of a trail must follow from. Applying a line
// gives the next chain; nothing else changes it.
//
// A line without a fault follows from at. After a line with a fault there are
// two places from which the next may go on, so that one cause is one finding:
//
//   - at, past the faulty line: it stands where the real one stood. The number
//     goes on from the recorded one after E_SEQUENCE, since then the event
//     itself is unchanged, else by one; the head is the recorded one if sig_k
//     holds for it, else the computed one if it holds for that, else the recorded.
//   - alt, before the faulty line: it was put in, repeated or moved.
//
// The next line is held to at. If it does not fit there, but fits alt in every
// respect, number, link and signature, it has no fault, and the two change
// places: what was moved ahead may be followed from where it stood. The first
// line that fits at ends the doubt. Hence
//
//	edited, damaged        one finding, at its number
//	removed, one or more   E_SEQUENCE at the event after the gap
//	repeated, one or more  E_SEQUENCE at the first
//	put in                 one finding for each line put in
//	two neighbours swapped E_SEQUENCE at the one that came early
//
// A line without a fault is proven by the key if its link could be computed.
// That is not so after a line of which not even H_k can be read: the next one
// has no fault if its number and its signature are right, and is not proven.
type chain struct {
	at     place
	alt    place
	forked bool // alt holds
}

// apply returns the chain after l and the fault of l, or nil; proven says
// whether the link of l to the head before it was checked.
func (c chain) apply(l *parsed, t *trust) (next chain, fault *finding.Finding, proven bool) {
	fault = c.at.follows(l, t)
	if fault == nil {
		return chain{at: c.at.after(l)}, nil, c.at.ties(l.E.K)
	}
	misplaced := fault.Code == finding.Sequence || fault.Code == finding.ChainLink
	if misplaced && c.forked && c.alt.follows(l, t) == nil {
		return chain{at: c.alt.after(l), alt: c.at, forked: true}, nil, c.alt.ties(l.E.K)
	}
	fault.Proves = c.at.proof(l, t)
	return c.doubt(c.at.past(l, fault)), fault, false
}

// skip returns the chain after a line that cannot be read.
func (c chain) skip(line []byte, t *trust) chain { return c.doubt(c.at.over(line, t)) }

// doubt returns c gone on to at, after a line with a fault. Of a row of faulty
// lines, alt stays before the first.
func (c chain) doubt(at place) chain {
	if !c.forked {
		c.alt, c.forked = c.at, true
	}
	c.at = at
	return c
}

// A place is a point of the chain: the number of the last event and the head
// after it.
type place struct {
	k     int64
	head  sign.Digest
	known bool  // whether head is; it is not after a line of which nothing can be read
	guess int64 // the last so many of the k events were counted from unreadable lines
}

// follows returns the first of E_EVENT_ID, E_SEQUENCE, E_RUN_ID, E_CHAIN_LINK
// and E_SIG_EVENT by which l is not the event after p, or nil.
func (p place) follows(l *parsed, t *trust) *finding.Finding {
	e := &l.E
	fault := func(f finding.Finding) *finding.Finding { return &f }
	switch {
	case l.id != l.ID:
		// The number inside a changed event is not believed either.
		return fault(finding.New(finding.EventID, "", "id_k is not the digest of the event").At(p.k+1).
			Differs(l.id.String(), l.ID.String()))
	case !p.leadsTo(e.K):
		return fault(finding.New(finding.Sequence, "", p.gap(e.K)).At(e.K).
			Differs(itoa(p.k+1), itoa(e.K)))
	case e.Run.ID != t.run:
		return fault(finding.New(finding.RunID, "", "the event belongs to another run").At(e.K).
			Differs(t.run, clip(e.Run.ID)))
	case p.ties(e.K) && Link(p.head, l.id) != l.H:
		return fault(finding.New(finding.ChainLink, "", "H_k does not follow from the head before it and id_k").At(e.K).
			Differs(Link(p.head, l.id).String(), l.H.String()))
	case e.Verifier.PKRef != t.ref:
		return fault(finding.New(finding.SigEvent, "", "the event names another key than the trail").At(e.K).
			Differs(t.ref.String(), e.Verifier.PKRef.String()))
	case t.known && !t.signed(l.H, l.Sig, l.signed):
		return fault(finding.New(finding.SigEvent, "", "sig_k is not the key's signature of H_k").At(e.K))
	default:
		return nil
	}
}

// leadsTo reports whether event k may come next. Of several unreadable lines in
// a row, some may stand for an event each and some for none: one line that was
// split in two. If all were put in, the chain goes on from before them.
func (p place) leadsTo(k int64) bool { return k == p.k+1 || k <= p.k && k > p.k-p.guess+1 }

// ties reports whether p says what the head before event k is.
func (p place) ties(k int64) bool { return p.known && k == p.k+1 }

func (p place) gap(k int64) string {
	switch {
	case k <= p.k:
		return "an event of a lower number stands here: repeated, or out of order"
	case k == p.k+2:
		return "event " + itoa(p.k+1) + " is missing before this one"
	default:
		return "events " + itoa(p.k+1) + " to " + itoa(k-1) + " are missing before this one"
	}
}

// after returns the place after l, a line that followed from p.
func (p place) after(l *parsed) place { return place{k: l.E.K, head: l.H, known: true} }

// past returns the place after l, which has fault f at p: the number goes on
// from the one recorded only if the event itself is unchanged, the head from the
// one that the signature holds for, else from the recorded one.
func (p place) past(l *parsed, f *finding.Finding) place {
	next := place{k: p.k + 1, head: l.H, known: true}
	if f.Code == finding.Sequence {
		next.k = l.E.K
	}
	if f.Proves.Sig == finding.SigOfEvent {
		next.head = Link(p.head, l.id)
	}
	return next
}

// over returns the place after a line that cannot be read as a whole.
func (p place) over(line []byte, t *trust) place {
	next := place{k: p.k + 1, guess: p.guess + 1}
	var computed *sign.Digest
	if e := eventBytes(line); e != nil {
		computed = p.computed(sign.Sum(e))
	}
	next.head, next.known = t.resume(salvage(line), computed)
	return next
}

func (p place) computed(id sign.Digest) *sign.Digest {
	if !p.known {
		return nil
	}
	h := Link(p.head, id)
	return &h
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// proof says what id_k, H_k and sig_k of a line still prove that has a fault at
// p: each is held to the event that stands there and to the head before it, on
// its own, whatever is wrong with the other two.
func (p place) proof(l *parsed, t *trust) *finding.Proof {
	out := &finding.Proof{ID: finding.IDOfEvent, Head: finding.HeadOpen, Sig: finding.SigUntried}
	if l.id != l.ID {
		out.ID = finding.IDOfOther
	}
	// The number inside a changed event says nothing of where it stood.
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
		computed := p.computed(l.id)
		switch {
		case t.signed(l.H, l.Sig, l.signed):
			out.Sig = finding.SigOfHead
		case computed != nil && *computed != l.H && t.signed(*computed, l.Sig, untried):
			out.Sig = finding.SigOfEvent
		default:
			out.Sig = finding.SigOfOther
		}
	}
	out.Event = conclusion(out)
	return out
}

// conclusion is what the three come to together.
func conclusion(p *finding.Proof) string {
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
