package verify

import (
	"fmt"
	"slices"
	"time"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// judgeGiven asks whether the ledger that was given can say what became of the release:
// that it is the one of which the release and what it came from pin heads, whole up to
// those at least. Whoever can write that file, and holds no key, could cut it or put
// another one in its place.
func (b *check) judgeGiven() {
	l := b.o.Later
	for _, f := range l.open {
		found := finding.New(f.Code, bundle.ManifestPath, "the ledger that was given cannot say what became of it: "+f.Text)
		b.add(checkRelease, found.As(Undecidable))
	}
	known := b.judgeHeads(bundle.ManifestPath, b.release)
	for _, a := range b.ancestors() {
		b.judgeHeads(a.path(), a.manifest)
	}
	if known {
		return
	}
	own, from, other := pins(b.release), l.genesis.Continues, l.genesis.Product != b.release.Product
	goesOn := from != nil && slices.ContainsFunc(own, func(ref *bundle.LedgerRef) bool { return ref.H0 == from.H0 })
	open := func(text string) Finding {
		return finding.New(finding.LedgerOther, bundle.ManifestPath, "the ledger that was given "+text).As(Undecidable)
	}
	switch _, sealed := l.at[b.id]; {
	case goesOn:
		b.add(checkRelease, open("goes on from the one that it was sealed over, which may say more of it"))
	case len(own) > 0 && !other && !sealed: // one that records it may be kept to date it alone
		b.add(checkRelease, open("is another one of the product than it was sealed over").Differs(own[0].H0.String(), l.heads[0].String()))
	case len(own) == 0 && sealed: // whatever became of it came after that
	case from != nil && !other && !sealed:
		b.add(checkRelease, open("goes on from another one, which may say more of it"))
	default:
		b.silent = true
	}
}

// pins returns the heads of its ledger that a manifest has.
func pins(m *bundle.ReleaseManifest) (list []*bundle.LedgerRef) {
	for _, ref := range []*bundle.LedgerRef{m.Provenance.Ledger, m.Provenance.Head} {
		if ref != nil && (len(list) == 0 || *ref != *list[0]) {
			list = append(list, ref)
		}
	}
	return list
}

// pinnedTime returns the latest time of the events whose heads a manifest pins, if a ledger
// that is at hand has these events.
func (b *check) pinnedTime(m *bundle.ReleaseManifest) (last time.Time) {
	for _, ref := range pins(m) {
		if l := b.ledger; l != nil && ref.H0 == l.summary.H0 && l.at[ref.K].head == ref.HK {
			last = latest(last, l.at[ref.K].ts)
		}
		if l := b.o.Later; l != nil && ref.H0 == l.heads[0] && 0 < ref.K && ref.K < int64(len(l.heads)) && l.heads[ref.K] == ref.HK {
			last = latest(last, time.UnixMicro(l.times[ref.K-1]))
		}
	}
	return last
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// judgeHeads holds the ledger that was given to the heads that a manifest pins of it,
// and of the ledger that it goes on from. It reports whether there is one of it.
func (b *check) judgeHeads(path string, m *bundle.ReleaseManifest) (known bool) {
	l := b.o.Later
	for _, ref := range pins(m) {
		known = known || ref.H0 == l.heads[0]
		k, at := int64(len(l.heads)-1), sign.Digest{}
		switch from := l.genesis.Continues; {
		case ref.H0 == l.heads[0] && ref.K <= k:
			at = l.heads[ref.K]
		case ref.H0 == l.heads[0]:
		case from != nil && ref.H0 == from.H0 && ref.K > from.K:
			k = from.K
		case from != nil && ref.H0 == from.H0 && ref.K == from.K:
			k, at = from.K, from.HK
		default:
			continue
		}
		switch {
		case ref.K > k:
			b.add(checkRelease, finding.New(finding.LedgerCut, path, fmt.Sprintf("the ledger that was given ends with event %d, and it was sealed over event %d: the end was cut off", k, ref.K)))
		case at != ref.HK:
			b.add(checkRelease, finding.New(finding.LedgerOther, path, fmt.Sprintf("the ledger that was given has another event %d than it was sealed over", ref.K)).Differs(ref.HK.String(), at.String()))
		}
	}
	return known
}
