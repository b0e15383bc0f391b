package verify

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/sign"
)

// A Later is what a ledger that the caller has says of bundles: a bundle cannot know what
// became of it. Memory grows with the releases of the ledger, and by a head an event.
type Later struct {
	genesis audit.Genesis
	heads   []sign.Digest // after event k, H_0 first
	times   []int64       // the greatest ts up to event k, in µs since 1970; of event 1 first
	open    []Finding     // of the ledger itself: it may say more than what was read
	sealed  map[sign.Digest][]ledger.Sealed
	at      map[sign.Digest]int64   // the first event that sealed it
	moves   map[sign.Digest][]int64 // promotions, by the bundle that goes up
	became  map[int64][]sign.Digest // what came of them
	back    map[sign.Digest][]taken // rollbacks
}

// A taken is an event that took a bundle back.
type taken struct {
	k  int64
	at time.Time
}

// LedgerKeys are the keys that an authority lets sign ledgers.
func LedgerKeys(a sign.Authority) sign.Verifiers { return roleKeys{a, sign.RoleLedger} }

// ReadLater reads a ledger. One that is damaged, or whose key is none of keys, is an error.
func ReadLater(r io.Reader, keys sign.Verifiers) (*Later, error) {
	l := &Later{heads: make([]sign.Digest, 1), sealed: map[sign.Digest][]ledger.Sealed{}, at: map[sign.Digest]int64{},
		moves: map[sign.Digest][]int64{}, became: map[int64][]sign.Digest{}, back: map[sign.Digest][]taken{}}
	var fault error
	summary, err := audit.Check(r, audit.CheckOptions{
		Keys: keys,
		Bare: true,
		Report: func(f Finding) {
			switch {
			case f.Verdict == Reject && fault == nil:
				fault = f.Err()
			case f.Verdict == Undecidable:
				l.leaveOpen(f)
			}
		},
		EventActions: []string{ledger.ActionSealed, ledger.ActionPromote, ledger.ActionRollback, audit.ActionRecover},
		Event:        l.note,
		Head: func(_ int64, ts audit.Time, head sign.Digest) {
			l.heads, l.times = append(l.heads, head), append(l.times, ts.UnixMicro())
		},
	})
	switch {
	case err != nil:
		return nil, err
	case fault != nil:
		return nil, fault
	case summary.Genesis == nil || summary.Genesis.Purpose != audit.PurposeLedger:
		return nil, errors.New("not a ledger")
	}
	l.genesis, l.heads[0] = *summary.Genesis, summary.H0
	return l, nil
}

// leaveOpen keeps a finding of the ledger that leaves open what it says, one of a code.
func (l *Later) leaveOpen(f Finding) {
	if !slices.ContainsFunc(l.open, func(o Finding) bool { return o.Code == f.Code }) {
		l.open = append(l.open, f)
	}
}

func (l *Later) note(r audit.Record) {
	var s ledger.Sealed
	var p ledger.Promoted
	var t ledger.RolledBack
	switch k := r.E.K; {
	case r.E.Action == ledger.ActionSealed && canon.Peek(r.E.Details, &s) == nil:
		l.sealed[s.Bundle] = append(l.sealed[s.Bundle], s)
		if _, before := l.at[s.Bundle]; !before {
			l.at[s.Bundle] = k
		}
		if s.Promote != nil {
			l.became[*s.Promote] = append(l.became[*s.Promote], s.Bundle)
		}
	case r.E.Action == ledger.ActionPromote && canon.Peek(r.E.Details, &p) == nil:
		l.moves[p.Release] = append(l.moves[p.Release], k)
	case r.E.Action == ledger.ActionRollback && canon.Peek(r.E.Details, &t) == nil:
		l.back[t.Release] = append(l.back[t.Release], taken{k, r.Time().Time})
	case r.E.Action == audit.ActionRecover && ledger.Loses(r.E.Details):
		l.leaveOpen(finding.New(finding.LedgerCut, "", fmt.Sprintf("events were lost before event %d, a rollback may have been among them", k)).As(Undecidable))
	}
}

// rolledBack returns the first event that took back the bundle, or what it became.
func (l *Later) rolledBack(id sign.Digest) (gone sign.Digest, by taken, yes bool) {
	todo, seen := []sign.Digest{id}, map[sign.Digest]bool{id: true}
	for len(todo) > 0 {
		one := todo[0]
		todo = todo[1:]
		if back := l.back[one]; back != nil && (!yes || back[0].k < by.k) {
			gone, by, yes = one, back[0], true
		}
		for _, move := range l.moves[one] {
			for _, next := range l.became[move] {
				if !seen[next] {
					seen[next] = true
					todo = append(todo, next)
				}
			}
		}
	}
	return gone, by, yes
}

// goneBefore returns the event that took back the bundle from which another came before
// the ledger has that one: no bundle may be sealed for such a promotion any more. Once
// it went on, what it became is what can be rolled back.
func (l *Later) goneBefore(from, to sign.Digest) (by taken, yes bool) {
	sealed, was := l.at[to]
	for _, by := range l.back[from] {
		if !was || by.k < sealed {
			return by, true
		}
	}
	return taken{}, false
}

// judgeLater holds a release to the ledger that the caller has.
func (b *check) judgeLater() {
	l := b.o.Later
	if l == nil || b.nested() {
		return
	}
	back := func(by taken, format string, args ...any) {
		f := finding.New(finding.RolledBack, bundle.ManifestPath, fmt.Sprintf(format, args...))
		later := !b.o.At.IsZero() && by.at.After(b.o.At) && !b.o.Install
		if later {
			f.Text += fmt.Sprintf(", at %s: after the time that is asked about", audit.NewTime(by.at))
		}
		if later || b.o.History {
			f = f.As(Note)
		}
		b.add(checkRelease, f)
	}
	switch gone, by, yes := l.rolledBack(b.id); {
	case yes && gone == b.id:
		back(by, "event %d of the ledger that was given rolled it back", by.k)
	case yes:
		back(by, "it became %s, which event %d of the ledger that was given rolled back", gone, by.k)
	}
	cameFrom := func(id sign.Digest, m *bundle.ReleaseManifest) {
		if from := m.Provenance.Previous; from != nil {
			if by, yes := l.goneBefore(*from, id); yes {
				back(by, "event %d of the ledger that was given rolled back %s, and %s was not made of that before", by.k, *from, id)
			}
		}
	}
	b.judgeGiven()
	cameFrom(b.id, b.release)
	b.judgeSealed(bundle.ManifestPath, b.id, b.release)
	for _, a := range b.ancestors() {
		cameFrom(a.id, a.manifest)
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
	if ref == nil || ref.H0 != l.heads[0] {
		return // sealed over none, or over another
	}
	for _, other := range l.became[ref.K] {
		differ("the ledger that was given recorded another bundle of this promotion", other.String(), id.String())
	}
}
