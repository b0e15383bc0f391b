package audit

import (
	"strconv"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

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
