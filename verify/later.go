package verify

import (
	"errors"
	"fmt"
	"io"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/canon"
	"github.com/relseal/relseal/internal/finding"
	"github.com/relseal/relseal/sign"
)

// A Later is what a ledger that the caller has says of bundles: a bundle cannot know what
// became of it. Memory grows with the releases of the ledger, not with its windows.
type Later struct {
	h0     sign.Digest
	sealed map[sign.Digest][]gates.Sealed
	moves  map[sign.Digest][]int64 // promotions, by the bundle that goes up
	heads  map[int64]sign.Digest   // after each of them
	became map[int64][]sign.Digest // what came of them
	back   map[sign.Digest]int64   // the first rollback
}

// LedgerKeys are the keys that an authority lets sign ledgers.
func LedgerKeys(a sign.Authority) sign.Verifiers { return roleKeys{a, sign.RoleLedger} }

// ReadLater reads a ledger. One that is damaged, or whose key is none of keys, is an error.
func ReadLater(r io.Reader, keys sign.Verifiers) (*Later, error) {
	l := &Later{sealed: map[sign.Digest][]gates.Sealed{}, moves: map[sign.Digest][]int64{}, heads: map[int64]sign.Digest{},
		became: map[int64][]sign.Digest{}, back: map[sign.Digest]int64{}}
	var fault error
	summary, err := audit.Check(r, audit.CheckOptions{
		Keys: keys,
		Bare: true,
		Report: func(f Finding) {
			if f.Verdict == Reject && fault == nil {
				fault = fmt.Errorf("%s: %s", f.Code, f.Text)
			}
		},
		EventActions: []string{gates.ActionSealed, gates.ActionPromote, gates.ActionRollback},
		Event:        l.note,
	})
	switch {
	case err != nil:
		return nil, err
	case fault != nil:
		return nil, fault
	case summary.Genesis == nil || summary.Genesis.Purpose != audit.PurposeLedger:
		return nil, errors.New("not a ledger")
	}
	l.h0 = summary.H0
	return l, nil
}

func (l *Later) note(r audit.Record) {
	var s gates.Sealed
	var p gates.Promoted
	var t gates.RolledBack
	switch k := r.E.K; {
	case r.E.Action == gates.ActionSealed && canon.Peek(r.E.Details, &s) == nil:
		l.sealed[s.Bundle] = append(l.sealed[s.Bundle], s)
		if s.Promote != nil {
			l.became[*s.Promote] = append(l.became[*s.Promote], s.Bundle)
		}
	case r.E.Action == gates.ActionPromote && canon.Peek(r.E.Details, &p) == nil:
		l.moves[p.Release] = append(l.moves[p.Release], k)
		l.heads[k] = r.H
	case r.E.Action == gates.ActionRollback && canon.Peek(r.E.Details, &t) == nil:
		if _, before := l.back[t.Release]; !before {
			l.back[t.Release] = k
		}
	}
}

// rolledBack returns the event that took back the bundle, or what it became.
func (l *Later) rolledBack(id sign.Digest) (gone sign.Digest, k int64, yes bool) {
	todo, seen := []sign.Digest{id}, map[sign.Digest]bool{id: true}
	for len(todo) > 0 {
		gone, todo = todo[0], todo[1:]
		if k, yes = l.back[gone]; yes {
			return gone, k, true
		}
		for _, move := range l.moves[gone] {
			for _, next := range l.became[move] {
				if !seen[next] {
					seen[next] = true
					todo = append(todo, next)
				}
			}
		}
	}
	return gone, 0, false
}

// judgeLater holds a release to the ledger that the caller has.
func (b *check) judgeLater() {
	l := b.o.Later
	if l == nil || b.nested() {
		return
	}
	if gone, k, yes := l.rolledBack(b.id); yes {
		text := fmt.Sprintf("event %d of the ledger that was given rolled it back", k)
		if gone != b.id {
			text = fmt.Sprintf("it became %s, which event %d of the ledger that was given rolled back", gone, k)
		}
		f := finding.New(finding.RolledBack, bundle.ManifestPath, text)
		if b.o.History {
			f = f.As(Note)
		}
		b.add(checkRelease, f)
	}
	b.judgeSealed(bundle.ManifestPath, b.id, b.release)
	for _, a := range b.ancestors() {
		b.judgeSealed(a.path(), a.id, a.manifest)
	}
}

// judgeSealed holds what a manifest says to what that ledger recorded of the bundle.
func (b *check) judgeSealed(path string, id sign.Digest, m *bundle.ReleaseManifest) {
	l := b.o.Later
	differ := func(text, want, got string) {
		if want != got {
			b.add(checkRelease, finding.New(finding.DataMismatch, path, text).Differs(want, got))
		}
	}
	for _, s := range l.sealed[id] {
		differ("the ledger that was given recorded another channel", s.Channel, m.Channel)
		differ("the ledger that was given recorded another version", s.Version, m.Version)
		differ("the ledger that was given recorded another policy", text(s.Policy), text(policyOf(m)))
	}
	ref := m.Provenance.Ledger
	if ref == nil || ref.H0 != l.h0 {
		return // sealed over none, or over another
	}
	if head, ok := l.heads[ref.K]; ok {
		differ("the ledger that was given stood elsewhere when it was sealed", head.String(), ref.HK.String())
	}
	for _, other := range l.became[ref.K] {
		differ("the ledger that was given recorded another bundle of this promotion", other.String(), id.String())
	}
}
