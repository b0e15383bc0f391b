package bundle

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/internal/lazyregexp"
)

const auditDir = "audit/"

// The purposes of a trail, as package audit names them.
const (
	purposeRun    = "run"
	purposeLedger = "ledger"
)

var runID = lazyregexp.New(`^[0-9a-f]{32}$`)

// Check returns what is wrong with the form of m, apart from its encoding: every
// fault, in the order of the members. Whether m tells the truth about the bundle
// is not its business.
func (m AuditManifest) Check() Faults {
	var r rules
	r.schema(m.Schema, AuditSchema, m.Kind, KindAudit)
	r.text("product", m.Product)
	r.must(runID.MatchString(m.Run.ID), "run.id: %s is not 32 lower-case hexadecimal digits", quote(m.Run.ID))
	r.must(m.Outcome == "ok" || m.Outcome == "failed" || m.Outcome == "aborted",
		"outcome: %s is none of ok, failed, aborted", quote(m.Outcome))
	r.trails(m.Trails, m.Files)
	r.artifacts(m.Artifacts)
	r.files(m.Files, m.Artifacts, auditRole, []string{EnvLockPath, PipelinePath, ParamPath, GuidePath})
	r.optional(m.Root, m.Details)
	return r.faults
}

// trails checks the trails of a run, and that they are the files of that role.
func (r *rules) trails(list []Trail, files []File) {
	unpinned := map[string]bool{}
	for _, f := range files {
		if f.Role == RoleTrail {
			unpinned[f.Path] = true
		}
	}
	run := false
	for i, t := range list {
		member := fmt.Sprintf("trails[%d]", i)
		r.must(i == 0 || list[i-1].Path < t.Path, "%s: %s is not sorted by path, or occurs twice", member, quote(t.Path))
		r.must(t.Purpose == purposeRun || t.Purpose == purposeLedger, "%s: purpose %s is neither run nor ledger", member, quote(t.Purpose))
		r.must(t.K >= 1, "%s: K is %d, a trail has at least one event", member, t.K)
		r.must(unpinned[t.Path], "%s: %s is not listed in files as a trail", member, quote(t.Path))
		delete(unpinned, t.Path)
		run = run || t.Purpose == purposeRun
	}
	r.must(run, "trails: none is of a run")
	for _, f := range files {
		r.must(!unpinned[f.Path], "files: the trail %s is not listed in trails", quote(f.Path))
		delete(unpinned, f.Path)
	}
}

// auditRole reports whether a file of an AuditBundle may have role and path. A
// path with a meaning has that role and no other, so that nothing a verifier
// looks for goes by under another name.
func auditRole(role, path string) bool {
	switch path {
	case EnvLockPath:
		return role == RoleEnvLock
	case PipelinePath:
		return role == RolePipeline
	case ParamPath:
		return role == RoleParams
	case GuidePath:
		return role == RoleGuide
	}
	switch role {
	case RoleTrail:
		return strings.HasPrefix(path, auditDir)
	case RoleArtifact:
		return strings.HasPrefix(path, ArtifactDir)
	}
	return false
}
