package verify

import (
	"fmt"
	"strings"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/canon"
	"github.com/relseal/relseal/internal/finding"
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

// rootUse is what the report says of the root.
func (b *check) rootUse() *RootUse {
	if b.authority == nil {
		return nil
	}
	u := &RootUse{}
	u.Pinned, u.Version = b.authority.Versions()
	u.Hash, _ = b.authority.Hash(u.Version)
	return u
}

// judgeRootRefs compares the versions of the root that the manifest and the trails name.
func (b *check) judgeRootRefs() {
	if b.audit != nil {
		b.judgeRootRef(checkSignature, bundle.ManifestPath, b.audit.Root)
	} else {
		b.judgeRootRef(checkSignature, bundle.ManifestPath, b.release.Root)
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

// Record is details.record in the manifest of a record about an archive, for which
// RoleArchive is there.
const Record = "reverify"

// SealRole returns the role that may seal the bundle of a manifest; one of the two
// is nil.
func SealRole(a *bundle.AuditManifest, r *bundle.ReleaseManifest) string {
	if r != nil {
		return "release." + strings.ToLower(r.Channel)
	}
	var details struct {
		Record string `json:"record"`
	}
	if len(a.Details) > 0 && canon.Peek(a.Details, &details) == nil && details.Record == Record {
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
