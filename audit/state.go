package audit

import "github.com/relseal/relseal/finding"

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
