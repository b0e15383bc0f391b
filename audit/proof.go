package audit

import "github.com/relseal/relseal/finding"

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
