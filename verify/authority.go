package verify

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// A Root is a trust root at a version that the caller pinned. Walk returns what its
// last version says that can be reached, by way of what the caller has and of the
// copies in a bundle, which are named by their paths there; and what is wrong with
// them. Package keys/root implements it.
type Root interface {
	Walk(copies map[string][]byte) (sign.Authority, []Finding)
}

// RootUse is the version of the trust root that a report rests on.
type RootUse struct {
	Hash    sign.Digest `json:"hash"`
	Pinned  int64       `json:"pinned"` // the version that the caller gave
	Version int64       `json:"version"`

	At *audit.Time `json:"at,omitempty"` // the time that the caller asked about
}

// trust finds out who may sign, once, after the files under sig/ have come.
func (b *check) trust() {
	if b.o.Root == nil || b.authority != nil {
		return
	}
	if b.within != nil { // the copies in a bundle inside are not looked at
		b.within.trust()
		b.authority = b.within.authority
		b.o.Keys = b.authority
		return
	}
	copies := map[string][]byte{}
	for path, data := range b.small {
		if strings.HasPrefix(path, bundle.SigRootDir) {
			copies[path] = data
		}
	}
	authority, findings := b.o.Root.Walk(copies)
	b.authority, b.o.Keys = authority, authority
	for _, f := range findings {
		b.rootEndedAt = deref(f.Path)
		b.add(checkSignature, f)
	}
	_, last := authority.Versions()
	if at := b.o.At; !at.IsZero() && authority.Expires().Before(at) {
		f := finding.New(finding.Root, "", fmt.Sprintf("version %d of the root expired at %s", last, authority.Expires().Format(time.RFC3339)))
		if !b.o.Install {
			f = f.As(Note)
		}
		b.add(checkSignature, f)
	}
}

// isRootCopy reports whether the file at path is a version of the root that counts here.
func (b *check) isRootCopy(path string) bool {
	name, ok := strings.CutPrefix(path, bundle.SigRootDir)
	digits, _, _ := strings.Cut(name, ".")
	version, err := strconv.ParseInt(digits, 10, 64)
	return ok && err == nil && b.authority != nil && b.authority.Has(version, b.small[path])
}

// judgeRootCopy notes a file under sig/root/ for which nothing vouches. Where the way to it
// ended it has a finding of the root.
func (b *check) judgeRootCopy(path string) {
	switch {
	case b.isRootCopy(path), b.explained[path], b.rootEndedAt == path:
	case b.authority == nil:
		b.add(checkFiles, finding.New(finding.FileUnlisted, path, "a copy of a trust root, which is not looked at without one: nothing vouches for its bytes").As(Note))
	default:
		b.add(checkFiles, finding.New(finding.FileUnlisted, path, "no version of the root from the pinned one on: nothing vouches for its bytes").As(Note))
	}
}

// rootUse is what the report says of the root.
func (b *check) rootUse() *RootUse {
	if b.authority == nil {
		return nil
	}
	u := &RootUse{}
	u.Pinned, u.Version = b.authority.Versions()
	u.Hash, _ = b.authority.Hash(u.Version)
	if !b.o.At.IsZero() {
		at := audit.NewTime(b.o.At)
		u.At = &at
	}
	return u
}

// judgeRootRefs compares the versions of the root that the manifest, those of the
// bundles that it came from, and the trails name.
func (b *check) judgeRootRefs() {
	if b.audit != nil {
		b.judgeRootRef(checkSignature, bundle.ManifestPath, b.audit.Root)
	} else {
		b.judgeRootRef(checkSignature, bundle.ManifestPath, b.release.Root)
	}
	for _, a := range b.ancestors() {
		b.judgeRootRef(checkRelease, a.path(), a.manifest.Root)
	}
	for path, t := range b.trails {
		if g := t.summary.Genesis; g != nil {
			b.judgeRootRef(checkTrail, path, (*bundle.RootRef)(g.Root))
		}
	}
}

func (b *check) judgeRootRef(group, path string, ref *bundle.RootRef) {
	if ref == nil {
		return
	}
	pinned, last := b.authority.Versions()
	hash, _ := b.authority.Hash(ref.Version)
	switch {
	case ref.Version < pinned: // nothing leads back
	case ref.Version > last:
		b.add(group, finding.New(finding.Root, path,
			fmt.Sprintf("made under version %d of the root; the way from version %d is missing", ref.Version, last)).As(Undecidable))
	case hash != ref.Hash:
		b.add(group, finding.New(finding.Root, path,
			fmt.Sprintf("made under another version %d of the root", ref.Version)).Differs(hash.String(), ref.Hash.String()))
	}
}

// What the manifest of a record about an archive has, for which RoleArchive is there:
// details.record and the product. It has no artifacts.
const (
	Record        = "reverify"
	RecordProduct = "archive"
)

// SealRole returns the role that may seal the bundle of a manifest; one of the two
// is nil. What only calls itself a record about an archive is one of a run.
func SealRole(a *bundle.AuditManifest, r *bundle.ReleaseManifest) string {
	if r != nil {
		return "release." + strings.ToLower(r.Channel)
	}
	var details struct {
		Record string `json:"record"`
	}
	if a.Product == RecordProduct && len(a.Artifacts) == 0 && len(a.Details) > 0 && canon.Peek(a.Details, &details) == nil && details.Record == Record {
		return sign.RoleArchive
	}
	return sign.RoleAudit
}

// role returns the role that may seal the bundle. Evidence is of runs alone.
func (b *check) role() string {
	if b.nested() {
		return sign.RoleAudit
	}
	return SealRole(b.audit, b.release)
}

// trailRole returns the role that may sign the trail at path.
func (b *check) trailRole(path string) string {
	if b.audit == nil {
		return sign.RoleLedger // of a release that is the only one
	}
	for _, t := range b.audit.Trails {
		if t.Path == path && t.Purpose == audit.PurposeLedger {
			return sign.RoleLedger
		}
	}
	return b.role()
}

// trailKeys are the keys that may sign the trail at path.
func (b *check) trailKeys(path string) sign.Verifiers {
	if b.trust(); b.authority == nil {
		return b.o.Keys
	}
	return roleKeys{b.authority, b.trailRole(path)}
}

// judgeUntrusted returns what a finding means that says that a key of the trail at path is
// not trusted. The signed manifest pins the bytes of evidence, and somebody else may trust
// its key, so there it is undecidable. A key to which the root gives other roles is known,
// and the finding says so instead.
func (b *check) judgeUntrusted(f Finding, path string, evidence bool) Finding {
	if f.Code != finding.KeyUnknown {
		return f
	}
	if id, ok := misplaced(b.authority, f); ok {
		f.Text = otherRoles(id, b.trailRole(path))
		return f
	}
	if evidence {
		f.Verdict = Undecidable
	}
	return f
}

// misplaced returns the key of a finding about one that is not trusted, if the root gives
// it some role.
func misplaced(authority sign.Authority, f Finding) (id sign.KeyID, ok bool) {
	if authority != nil && f.Code == finding.KeyUnknown && id.UnmarshalText([]byte(deref(f.Got))) == nil {
		_, ok = authority.Verifier(id)
	}
	return id, ok
}

func otherRoles(id sign.KeyID, role string) string {
	return fmt.Sprintf("%s has other roles; it may not sign as %s", id, role)
}

// roleKeys are the keys that have a role.
type roleKeys struct {
	sign.Authority
	role string
}

func (r roleKeys) Verifier(id sign.KeyID) (sign.PublicKey, bool) {
	if _, ok := r.Grant(r.role, id); !ok {
		return sign.PublicKey{}, false
	}
	return r.Authority.Verifier(id)
}
