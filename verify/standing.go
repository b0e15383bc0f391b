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

// Dates are records about bundles, made by others than their signers.
type Dates interface {
	// Recorded returns who has recorded that the bundle exists, and when by their clock.
	Recorded(bundle sign.Digest) []Dating
}

// A Dating says that something existed at a time.
type Dating struct {
	Key sign.KeyID // the key that signed the record
	At  time.Time
}

// recorded returns the latest time that the bundle contains: of its trails, its evidence,
// the ledger in it and the events whose heads it pins, if a ledger at hand has those. The
// bundle was sealed then or later.
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
		last = latest(last, b.pinnedTime(b.release))
	}
	return last
}

// A use says that a key signed something in a role, and when.
type use struct {
	role        string
	key         sign.KeyID
	path        string    // of what the key signed
	first, last time.Time // the earliest and latest time in that, by its maker's clock; zero if there is none
	cosigner    bool      // another key sealed it: this signature may be younger than those times
}

// standing returns the faults of a use of a key: whether the key had the role, and
// whether it still had it when it signed.
func (b *check) standing(u use, records []Dating) []Finding {
	g, ok := b.authority.Grant(u.role, u.key)
	if !ok {
		return []Finding{finding.New(finding.KeyUnknown, u.path, otherRoles(u.key, u.role))}
	}
	if u.last.IsZero() && (b.c.verdict() == Reject || b.lacksTrail()) {
		u.first, u.last = g.NotBefore, g.NotBefore // no time is known for a reason that has its finding
	}
	return u.faults(g, b.o.At, records)
}

// lacksTrail reports whether a trail or evidence is listed that is not in the bundle. Its
// finding is reported after those about keys.
func (b *check) lacksTrail() bool {
	for path, f := range b.files {
		_, seen := b.seen[path]
		if !seen && (f.Role == bundle.RoleTrail || f.Role == bundle.RoleEvidence) {
			return true
		}
	}
	return false
}

// faults judges a use by the grant g of the role, as it was at the time at, or is now if
// at is zero. Each fault is looked for whether or not there are others, so that the worst
// of them counts and a further fault never makes the answer milder. A NOTE is no fault.
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
	case early && (!u.cosigner || !at.IsZero() && at.Before(g.NotBefore)):
		add(finding.KeyRetired, Reject, "%s; this records %s", span, when(u.first))
	case early && g.Status != sign.Active:
		// The other signer may have chosen a time before this key was granted its role. That
		// does not matter for a key that may still sign. Any other key must have signed
		// within its time, and nothing shows that.
		add(finding.KeyRetired, Undecidable, "%s, and is %s; this records %s, and nothing says when it signed", span, g.Status, when(u.first))
	}
	switch since := g.RevokedSince; {
	case g.Status != sign.Revoked || !at.IsZero() && since.After(at):
	case !u.last.IsZero() && !u.last.Before(since):
		add(finding.KeyRevoked, Reject, "%s is revoked since %s; this records %s", u.key, when(since), when(u.last))
	case u.cosigner: // records date the bundle, but a signature can be added to it later
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

// datings returns the records about the bundle. A record about a release also dates the
// evidence in it.
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

// firstUse returns the time of the first event that the sealing key signed in a trail of
// the same role, or the time of the seal if there is no such event.
func (b *check) firstUse() time.Time {
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

// sealsToo reports whether a key of the trail at path is also the sealing key, in the same
// role. Then one finding is enough for both uses.
func (b *check) sealsToo(path string, key sign.KeyID) bool {
	return key == b.keyID && b.trailRole(path) == b.role()
}

// judgeTrailKeys judges for each trail whether its keys were allowed to sign when they did.
func (b *check) judgeTrailKeys() {
	for _, path := range slices.Sorted(maps.Keys(b.trails)) {
		for _, u := range b.trailUses(path) {
			for _, f := range b.standing(u, b.datings()) {
				b.trails[path].needsRecord = b.trails[path].needsRecord || f.Code == finding.KeyRevoked && f.Verdict == Note
				b.add(checkTrail, f)
			}
		}
	}
}

// trailUses returns the uses of the keys of a trail beside the sealing key: of one that
// came back after a rotation, from the first to the last.
func (b *check) trailUses(path string) (list []use) {
	for _, s := range b.trails[path].summary.Signers {
		if b.sealsToo(path, s.Key) {
			continue
		}
		u := use{role: b.trailRole(path), key: s.Key, path: path}
		if s.First != nil && s.Last != nil {
			u.first, u.last = s.First.Time, s.Last.Time
		}
		i := slices.IndexFunc(list, func(o use) bool { return o.key == u.key })
		switch {
		case i < 0:
			list = append(list, u)
		case list[i].last.IsZero():
			list[i] = u
		case u.last.After(list[i].last):
			list[i].last = u.last
		}
	}
	return list
}

// judgeAt reports a bundle with times after the one that the caller asks about.
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
