package bundle

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// LedgerPath is where a ReleaseBundle holds its part of the ledger.
const LedgerPath = EvidenceDir + "ledger.jsonl"

// EvidencePath returns where a ReleaseBundle holds the AuditBundle with this
// bundle.id.
func EvidencePath(id sign.Digest) string { return EvidenceDir + id.Hex() + auditSuffix }

const auditSuffix = ".audit.tar.zst"

// rules collects the faults of a manifest. Texts name the member first.
type rules struct{ faults Faults }

func (r *rules) add(code finding.Code, format string, args ...any) {
	r.faults = append(r.faults, &Error{Code: code, Path: ManifestPath, Text: fmt.Sprintf(format, args...)})
}

// must records a fault unless ok.
func (r *rules) must(ok bool, format string, args ...any) {
	if !ok {
		r.add(finding.Format, format, args...)
	}
}

// schema checks the members that every manifest has.
func (r *rules) schema(schema, wantSchema, kind, wantKind string) {
	if schema != wantSchema {
		r.add(finding.SchemaMismatch, "schema is %s, want %s", quote(schema), wantSchema)
	}
	r.must(kind == wantKind, "kind is %s, want %s", quote(kind), wantKind)
}

// text checks a name, an id or a label.
func (r *rules) text(member, s string) {
	r.must(s != "" && canon.Printable(s), "%s: %s is empty or has a character outside U+0020 to U+007E", member, quote(s))
}

// optional checks the members that a manifest may leave out.
func (r *rules) optional(root *RootRef, details canon.Value) {
	r.must(root == nil || root.Version >= 1, "root.version is below 1")
	r.must(len(details) == 0 || isObject(details), "details is not an object")
}

// artifacts checks what a manifest says of artifacts.
func (r *rules) artifacts(list []Artifact) {
	for i, a := range list {
		member := fmt.Sprintf("artifacts[%d].uri", i)
		r.text(member, a.URI)
		r.must(a.Size >= 0, "artifacts[%d].size is negative", i)
		r.must(i == 0 || list[i-1].URI < a.URI, "%s: %s is not sorted, or occurs twice", member, quote(a.URI))
	}
}

// files checks what a manifest says of files. fits answers whether a file of the
// given role may have the given path; required lists the files without which a
// bundle of this kind is none.
func (r *rules) files(list []File, artifacts []Artifact, fits func(role, path string) bool, required []string) {
	// A bundle has manifest.json, SHA256SUMS and three signatures besides.
	if len(list)+5 > limits.Files {
		r.add(finding.Limit, "files: %d, the limit is %d with those that a manifest does not list", len(list), limits.Files)
	}
	copies := map[Artifact]bool{}
	for _, a := range artifacts {
		copies[a] = true
	}
	var all names
	for _, own := range []string{ManifestPath, SumsPath, SigIDPath} {
		all.add(own)
	}
	missing := map[string]bool{}
	for _, path := range required {
		missing[path] = true
	}
	for i, f := range list {
		member := fmt.Sprintf("files[%d]", i)
		delete(missing, f.Path)
		r.path(&all, member, f.Path)
		r.must(i == 0 || list[i-1].Path < f.Path, "%s: %s is not sorted by path", member, quote(f.Path))
		r.must(fits(f.Role, f.Path), "%s: %s cannot have the role %s", member, quote(f.Path), quote(f.Role))
		if most := sizeLimit(f.Path); f.Size > most {
			r.add(finding.Limit, "%s: %s has %d bytes, the limit is %d", member, quote(f.Path), f.Size, most)
		}
		r.must(f.Size >= 0, "%s: the size is negative", member)
		uri := strings.TrimPrefix(f.Path, ArtifactDir)
		if f.Role == RoleArtifact && !copies[Artifact{URI: uri, Hash: f.Hash, Size: f.Size}] {
			// A fault of the copy as much as of the manifest: it is found at the copy.
			r.faults = append(r.faults, formatf("%s: %s is no copy of an artifact of that name", member, quote(f.Path)).at(f.Path))
		}
	}
	for _, path := range required {
		r.must(!missing[path], "files: %s is not listed", path)
	}
}

// path checks that no two files get into each other's way, those included that
// a manifest never lists.
func (r *rules) path(all *names, member, path string) {
	if strings.HasPrefix(path, sigDir) || path == ManifestPath || path == SumsPath {
		r.add(finding.Format, "%s: %s is never listed", member, quote(path))
		return
	}
	if fault := all.add(path); fault != nil {
		r.add(fault.Code, "%s: %s: %s", member, quote(path), fault.Text)
	}
}

// isNull reports whether v is null, or unset, which marshals as null.
func isNull(v canon.Value) bool { return len(v) == 0 || string(v) == "null" }

func isObject(v canon.Value) bool { return len(v) > 0 && v[0] == '{' }
