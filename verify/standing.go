package verify

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
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
// evidence or the ledger that it was sealed over, and that of the event whose head it
// pins, if a ledger at hand has that. It was sealed then or later.
func (b *check) recorded() (last time.Time) {
	for _, t := range b.trails {
		if t.summary.Last != nil {
			last = latest(last, t.summary.Last.Time)
		}
	}
	for _, in := range b.evidence {
		last = latest(last, in.recorded())
	}
	if b.release != nil && !b.nested() {
		last = latest(last, b.stood(b.release))
	}
	return last
}

// A use is what is on record of one use of a key in a role.
type use struct {
	role        string
	key         sign.KeyID
	path        string    // of what it signed
	first, last time.Time // of that, by the clocks of those who made it; zero where nothing says
	added       bool      // to what others sealed: the signature is as old as that or younger
}

// standing returns everything that speaks against a use of a key.
func (b *check) standing(u use, records []Dating) []Finding {
	g, ok := b.authority.Grant(u.role, u.key)
	if !ok {
		return []Finding{finding.New(finding.KeyUnknown, u.path, otherRoles(u.key, u.role))}
	}
	if u.last.IsZero() && (b.c.verdict() == Reject || b.lacksTrail()) {
		u.first, u.last = g.NotBefore, g.NotBefore // why nothing says when has its finding
	}
	return u.faults(g, b.o.At, records)
}

// lacksTrail reports whether a trail or evidence is listed and did not come, which gets
// its finding after the keys.
func (b *check) lacksTrail() bool {
	for path, f := range b.files {
		_, seen := b.seen[path]
		if !seen && (f.Role == bundle.RoleTrail || f.Role == bundle.RoleEvidence) {
			return true
		}
	}
	return false
}

// faults judges a use by its grant, as it stood at the time at, or now if that is zero.
// Each fault is found by itself and none takes another away, so that the worst of them
// counts and one fault more is never judged more mildly. A NOTE is none.
func (u use) faults(g sign.Grant, at time.Time, records []Dating) (list []Finding) {
	add := func(code Code, v Verdict, format string, args ...any) {
		list = append(list, finding.New(code, u.path, fmt.Sprintf(format, args...)).As(v))
	}
	when := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	records = slices.DeleteFunc(slices.Clone(records), func(d Dating) bool { return d.Key == u.key || !d.At.Before(g.RevokedSince) })
	span := fmt.Sprintf("%s may sign as %s from %s to %s", u.key, u.role, when(g.NotBefore), when(g.NotAfter))

	switch early := u.first.Before(g.NotBefore); {
	case u.last.IsZero():
		add(finding.KeyRetired, Undecidable, "%s; nothing says when it signed", span)
	case u.last.After(g.NotAfter):
		add(finding.KeyRetired, Reject, "%s; this records %s", span, when(u.last))
	case early && (!u.added || !at.IsZero() && at.Before(g.NotBefore)):
		add(finding.KeyRetired, Reject, "%s; this records %s", span, when(u.first))
	case early && g.Status != sign.Active:
		// Whoever sealed the bundle chose its time. Of a key that still may sign it does
		// not matter when it did; of any other, what it signed in its time counts alone.
		add(finding.KeyRetired, Undecidable, "%s, and is %s; this records %s, and nothing says when it signed", span, g.Status, when(u.first))
	}
	switch since := g.RevokedSince; {
	case g.Status != sign.Revoked || !at.IsZero() && since.After(at):
	case !u.last.IsZero() && !u.last.Before(since):
		add(finding.KeyRevoked, Reject, "%s is revoked since %s; this records %s", u.key, when(since), when(u.last))
	case u.added: // a record shows how old the bundle is, not a signature that anybody may add
		add(finding.KeyRevoked, Undecidable, "%s is revoked since %s; nothing shows that this signature is older", u.key, when(since))
	case len(records) > 0:
		add(finding.KeyRevoked, Note, "%s is revoked since %s; %s recorded the bundle at %s, before that", u.key, when(since), records[0].Key, when(records[0].At))
	default:
		add(finding.KeyRevoked, Undecidable, "%s is revoked since %s; nothing but the key itself says that this is older", u.key, when(since))
	}
	return list
}

// worst is the verdict of all faults together, VERIFIED if none matters.
func worst(faults []Finding) Verdict {
	v := Verified
	for _, f := range faults {
		v = v.Worse(f.Verdict)
	}
	return v
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

// began returns the earliest time that the sealing key signed in a trail of its role,
// or that of the seal if it signed none.
func (b *check) began() time.Time {
	first := b.recorded()
	for path, t := range b.trails {
		for _, s := range t.summary.Signers {
			if s.First != nil && b.sealsToo(path, s.Key) && s.First.Before(first) {
				first = s.First.Time
			}
		}
	}
	return first
}

// sealsToo reports whether a key of the trail at path is the sealing key in the same
// role: one finding says of both what there is to say.
func (b *check) sealsToo(path string, key sign.KeyID) bool {
	return key == b.keyID && b.trailRole(path) == b.role()
}

// judgeTrailKeys asks of each trail whether its keys might sign then.
func (b *check) judgeTrailKeys() {
	for _, path := range slices.Sorted(maps.Keys(b.trails)) {
		for _, s := range b.trails[path].summary.Signers {
			if b.sealsToo(path, s.Key) {
				continue
			}
			u := use{role: b.trailRole(path), key: s.Key, path: path}
			if s.First != nil && s.Last != nil {
				u.first, u.last = s.First.Time, s.Last.Time
			}
			for _, f := range b.standing(u, b.datings()) {
				b.add(checkTrail, f)
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
