package verify

import (
	"fmt"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/finding"
	"github.com/relseal/relseal/sign"
)

// Dates are records about bundles by others than those who signed them.
type Dates interface {
	// Recorded returns by whom, and when by their clock, it is on record that the
	// bundle exists.
	Recorded(bundle sign.Digest) []Dating
}

// A Dating says that something existed at a time.
type Dating struct {
	Key sign.KeyID // that vouches for it
	At  time.Time
}

// recorded returns the latest time that the bundle holds, in its trails, its
// evidence or the ledger that it was sealed over. It was sealed then or later.
func (b *check) recorded() (last time.Time) {
	later := func(t time.Time) {
		if t.After(last) {
			last = t
		}
	}
	for _, t := range b.trails {
		if t.summary.Last != nil {
			later(t.summary.Last.Time)
		}
	}
	for _, in := range b.evidence {
		later(in.recorded())
	}
	return last
}

// standing returns why the key may not have signed in the role what records the
// time last, or nil. A NOTE says that it may, and why that is not plain.
func (b *check) standing(role string, id sign.KeyID, path string, last time.Time) *Finding {
	g, ok := b.authority.Grant(role, id)
	say := func(code Code, v Verdict, format string, args ...any) *Finding {
		f := finding.New(code, path, fmt.Sprintf(format, args...)).As(v)
		return &f
	}
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	switch {
	case !ok:
		return say(finding.KeyUnknown, Reject, "%s has other roles; it may not sign as %s", id, role)
	case last.Before(g.NotBefore) && !last.IsZero(), last.After(g.NotAfter):
		return say(finding.KeyRetired, Reject, "%s may sign as %s from %s to %s; this records %s", id, role, at(g.NotBefore), at(g.NotAfter), at(last))
	case g.Status != sign.Revoked || !b.o.At.IsZero() && g.RevokedSince.After(b.o.At):
		return nil
	case !last.Before(g.RevokedSince):
		return say(finding.KeyRevoked, Reject, "%s is revoked since %s; this records %s", id, at(g.RevokedSince), at(last))
	}
	for _, d := range b.datings() {
		if d.Key != id && d.At.Before(g.RevokedSince) {
			return say(finding.KeyRevoked, Note, "%s is revoked since %s; %s recorded the bundle at %s, before that", id, at(g.RevokedSince), d.Key, at(d.At))
		}
	}
	return say(finding.KeyRevoked, Undecidable, "%s is revoked since %s; nothing but the key itself says that this is older", id, at(g.RevokedSince))
}

// datings are the records about the bundle. What dates a release dates the evidence
// in it.
func (b *check) datings() []Dating {
	if b.o.Dates == nil {
		return nil
	}
	list := b.o.Dates.Recorded(b.id)
	if b.within != nil {
		list = append(list, b.within.datings()...)
	}
	return list
}

// judgeTrailKeys asks of each trail whether its keys might sign then. A trail by the
// sealing key in the same role needs no finding of its own.
func (b *check) judgeTrailKeys() {
	for path, t := range b.trails {
		role := b.trailRole(path)
		for _, s := range t.summary.Signers {
			if s.First == nil || s.Last == nil || s.Key == b.keyID && role == b.role() {
				continue
			}
			f := b.standing(role, s.Key, path, s.Last.Time)
			if f == nil {
				f = b.standing(role, s.Key, path, s.First.Time)
			}
			if f != nil {
				b.add(checkTrail, *f)
			}
		}
	}
}

// judgeAt compares the times in the bundle with the one that the caller asks about.
func (b *check) judgeAt() {
	if last := b.recorded(); !b.o.At.IsZero() && last.After(b.o.At) {
		f := finding.New(finding.TimeOrder, bundle.ManifestPath, "it records a time after the one that is asked about").Differs(
			audit.NewTime(b.o.At).String(), audit.NewTime(last).String())
		if last.Sub(b.o.At) <= time.Second {
			f = f.As(Note)
		}
		b.add(checkSignature, f)
	}
}
