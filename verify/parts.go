package verify

import (
	"fmt"
	"slices"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// A run may be recorded in parts: trails of one run, of which some go on from the end of
// another. Together they are one run, with one end.

// partBefore returns the trail of these bundles from which a trail says that it goes on,
// by its H_0, and the bundle that has it; nil if none has.
func partBefore(t *trail, bundles ...*check) (*audit.Continues, *bundle.Trail, *check) {
	if t.summary.Genesis == nil || t.summary.Genesis.Continues == nil {
		return nil, nil, nil
	}
	from := t.summary.Genesis.Continues
	for _, b := range bundles {
		for i := range b.audit.Trails {
			if part := &b.audit.Trails[i]; part.H0 == from.H0 {
				return from, part, b
			}
		}
	}
	return from, nil, nil
}

// ends reports whether a trail goes on from the end of a part.
func ends(from *audit.Continues, part *bundle.Trail) bool {
	return part != nil && part.Purpose == audit.PurposeRun && part.K == from.K && part.HK == from.HK
}

// contradiction compares where a trail says that it goes on from another one with that
// one, which is at hand. It returns nil if it goes on from its end.
func contradiction(path string, from *audit.Continues, part *bundle.Trail) *Finding {
	var f Finding
	switch {
	case ends(from, part):
		return nil
	case part.Purpose != audit.PurposeRun:
		f = finding.New(finding.Sequence, path, "goes on from a trail that is not of a run").At(0).Differs(audit.PurposeRun, part.Purpose)
	case from.K > part.K:
		f = finding.New(finding.Sequence, path, fmt.Sprintf("goes on from event %d of %s, of which only %d are there", from.K, part.Path, part.K)).At(0).As(Undecidable)
	case from.K < part.K:
		f = finding.New(finding.Sequence, path, fmt.Sprintf("goes on from event %d of %s, which goes on otherwise itself", from.K, part.Path)).At(0).
			Differs(itoa(part.K), itoa(from.K))
	default:
		f = finding.New(finding.ChainLink, path, fmt.Sprintf("goes on from another head than that with which %s ends", part.Path)).At(0).
			Differs(part.HK.String(), from.HK.String())
	}
	return &f
}

// judgeParts holds the trails of a run to each other.
func (b *check) judgeParts() {
	first, heads := "", map[sign.Digest]string{}
	for _, p := range b.runTrails() {
		t := b.trails[p.Path]
		if t == nil || t.foreign {
			continue
		}
		if other, ok := heads[p.H0]; ok {
			b.add(checkTrail, finding.New(finding.Sequence, p.Path, "the chain begins as that of "+other+" does: of one beginning there is one record").At(0))
		}
		heads[p.H0] = p.Path
		if from, part, _ := partBefore(t, b); part != nil {
			if f := contradiction(p.Path, from, part); f != nil {
				b.add(checkTrail, *f)
			}
		}
		switch {
		case t.end == nil:
		case first == "":
			first = p.Path
		default:
			b.add(checkTrail, finding.New(finding.Sequence, p.Path, "the run has ended in "+first+" already").At(t.end.K))
		}
	}
}

// goesOn reports whether a trail of the run goes on from the end of the one at path: then
// that is no end of the run.
func (b *check) goesOn(path string) bool {
	at := slices.IndexFunc(b.audit.Trails, func(p bundle.Trail) bool { return p.Path == path })
	for _, p := range b.runTrails() {
		if t := b.trails[p.Path]; at >= 0 && t != nil && !t.foreign && t.summary.Genesis != nil {
			part, from := &b.audit.Trails[at], t.summary.Genesis.Continues
			if from != nil && from.H0 == part.H0 && ends(from, part) {
				return true
			}
		}
	}
	return false
}

// startsElsewhere reports whether a part of the run goes on from one that is not in the
// bundle, and whose run.start may say anything.
func (b *check) startsElsewhere() bool {
	return slices.ContainsFunc(b.runTrails(), func(p bundle.Trail) bool {
		t := b.trails[p.Path]
		if t == nil {
			return false
		}
		from, part, _ := partBefore(t, b)
		return from != nil && part == nil
	})
}

// endsElsewhere reports whether another trail of the run than the one at path has its end.
func (b *check) endsElsewhere(path string) bool {
	for _, p := range b.runTrails() {
		if t := b.trails[p.Path]; p.Path != path && t != nil && t.end != nil {
			return true
		}
	}
	return false
}

// stepOf returns the end of a step as the trail t has it, else as another part of the run
// does; nil if none has.
func (b *check) stepOf(t *trail, id string) *step {
	if s := t.steps[id]; s != nil {
		return s
	}
	for _, p := range b.runTrails() {
		if other := b.trails[p.Path]; other != nil && other.steps[id] != nil {
			return other.steps[id]
		}
	}
	return nil
}

// someCommitted reports whether some step of the run has a commitment for its id.
func (b *check) someCommitted() bool {
	for _, p := range b.runTrails() {
		if t := b.trails[p.Path]; t != nil && len(t.committed) > 0 {
			return true
		}
	}
	return false
}
