package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/lazyregexp"
)

// semver is Semantic Versioning 2.0.0 without "v".
var semver = func() *lazyregexp.Regexp {
	const (
		number     = `(0|[1-9][0-9]*)`
		identifier = `(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`
		build      = `[0-9A-Za-z-]+`
	)
	return lazyregexp.New(`^` + number + `\.` + number + `\.` + number +
		`(-` + identifier + `(\.` + identifier + `)*)?(\+` + build + `(\.` + build + `)*)?$`)
}()

// CheckVersion returns an error unless v is a semantic version without "v", of at
// most 200 bytes.
func CheckVersion(v string) error {
	if len(v) > 200 || !semver.MatchString(v) {
		return errors.New(`not a semantic version without "v", such as 1.0.0`)
	}
	return nil
}

// Check returns what is wrong with the form of m; see [AuditManifest.Check].
func (m ReleaseManifest) Check() Faults {
	var r rules
	r.schema(m.Schema, ReleaseSchema, m.Kind, KindRelease)
	r.text("product", m.Product)
	r.must(CheckVersion(m.Version) == nil, `version: %s is not a semantic version without "v"`, quote(m.Version))
	r.must(m.Channel == Canary || m.Channel == Stable || m.Channel == LTS, "channel: %s is none of %s, %s, %s", quote(m.Channel), Canary, Stable, LTS)
	if m.Commit != nil {
		r.text("commit", *m.Commit)
	}
	r.must(len(m.Artifacts) > 0, "artifacts: a release has at least one")
	r.artifacts(m.Artifacts)
	r.policy(m)
	r.decided(m)
	r.provenance(m)
	r.lineage(m)
	r.files(m.Files, m.Artifacts, releaseRole, []string{GuidePath})
	r.optional(m.Root, m.Details)
	return r.faults
}

func (r *rules) policy(m ReleaseManifest) {
	if m.Gates == nil {
		r.must(m.Channel == Canary, "gates is null on %s", quote(m.Channel))
		return
	}
	if err := m.Gates.Check(); err != nil {
		r.add(finding.Format, "gates: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

// decided checks the members that say how a release came to its channel: none
// on canary, all of them on stable and LTS.
func (r *rules) decided(m ReleaseManifest) {
	if m.Channel == Canary {
		r.must(isNull(m.Scores), "scores is not null on canary")
		r.must(m.Windows == nil, "windows is not null on canary")
		r.must(isNull(m.Decision), "decision is not null on canary")
		r.must(m.Provenance.Previous == nil, "provenance.previous is not null on canary")
		r.must(m.Provenance.Ledger == nil, "provenance.ledger is not null on canary")
		r.must(!slices.ContainsFunc(m.Files, func(f File) bool { return f.Path == LedgerPath }), "files: %s is listed on canary, which no ledger judged", LedgerPath)
		return
	}
	r.object(m, "scores", m.Scores)
	r.object(m, "decision", m.Decision)
	r.must(m.Provenance.Previous != nil, "provenance.previous is null on %s", quote(m.Channel))
	r.must(m.Provenance.Ledger != nil, "provenance.ledger is null on %s", quote(m.Channel))
	w := m.Windows
	if w == nil {
		r.add(finding.Format, "windows is null on %s", quote(m.Channel))
		return
	}
	r.must(1 <= w.First && w.First <= w.Last, "windows: %d to %d is not a range of ledger events", w.First, w.Last)
	r.must(1 <= w.Count && w.Count <= w.Last-w.First+1, "windows: %d do not fit into the events %d to %d", w.Count, w.First, w.Last)
	if l := m.Provenance.Ledger; l != nil {
		r.must(w.Last <= l.K, "windows: the last is event %d, the ledger ends at %d", w.Last, l.K)
	}
}

func (r *rules) object(m ReleaseManifest, member string, v canon.Value) {
	r.must(!isNull(v), "%s is null on %s", member, quote(m.Channel))
	r.must(isNull(v) || isObject(v), "%s is not an object", member)
}

// provenance checks what the release rests on, and that every AuditBundle it
// embeds is part of that.
func (r *rules) provenance(m ReleaseManifest) {
	embedded := map[string]bool{}
	for _, f := range m.Files {
		if f.Role == RoleEvidence {
			embedded[f.Path] = true
		}
	}
	ids := m.Provenance.Audit
	r.must(len(ids) > 0, "provenance.audit: a release rests on at least one audit bundle")
	named := map[string]bool{}
	for i, id := range ids {
		member, path := fmt.Sprintf("provenance.audit[%d]", i), EvidencePath(id)
		r.must(i == 0 || bytes.Compare(ids[i-1][:], id[:]) < 0, "%s: %s is not sorted, or occurs twice", member, id)
		r.must(embedded[path], "%s: %s is not listed in files as evidence", member, path)
		named[path] = true
	}
	for _, f := range m.Files {
		name, ok := strings.CutPrefix(f.Path, EvidenceDir)
		bundled := ok && strings.HasSuffix(name, auditSuffix) && !strings.Contains(name, "/")
		r.must(!bundled || named[f.Path], "files: %s is not listed in provenance.audit", quote(f.Path))
	}
	r.head(m)
}

// head checks where the ledger stood. A promoted release was sealed over its ledger,
// so that both say the same; a canary was judged by none.
func (r *rules) head(m ReleaseManifest) {
	l, h := m.Provenance.Ledger, m.Provenance.Head
	if l != nil {
		r.must(l.K >= 1, "provenance.ledger: k is below 1")
	}
	if h != nil {
		r.must(h.K >= 0, "provenance.head: k is below 0")
		r.must(h.K != 0 || h.HK == h.H0, "provenance.head: H_k of event 0 is not H_0")
	}
	if m.Channel != Canary {
		r.must(l == nil || h != nil && *h == *l, "provenance.head is not provenance.ledger on %s", quote(m.Channel))
	}
}

// releaseRole reports whether a file of a ReleaseBundle may have role and path;
// see auditRole.
func releaseRole(role, path string) bool {
	switch path {
	case GuidePath:
		return role == RoleGuide
	case LedgerPath:
		return role == RoleLedger
	}
	switch role {
	case RoleArtifact:
		return strings.HasPrefix(path, ArtifactDir)
	case RoleEvidence:
		return strings.HasPrefix(path, EvidenceDir) && !strings.HasPrefix(path, FromDir)
	case RoleLineage:
		_, _, ok := FromID(path)
		return ok
	}
	return false
}
