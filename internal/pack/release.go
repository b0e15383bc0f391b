package pack

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/sign"
)

// A Release is what a ReleaseBundle on canary rests on.
type Release struct {
	Product string
	Version string
	Commit  *string
	Gates   *gates.Policy
	Audit   []string // files of AuditBundles, verified by the caller
	Root    *bundle.RootRef
	Head    *bundle.LedgerRef // where the product's ledger stands; nil if none is at hand
}

// Canary seals a ReleaseBundle on canary over one or more AuditBundles and
// returns its bundle.id. Its artifacts are those of the AuditBundles, copied
// where they hold a copy; several runs may have made the same one.
func Canary(w io.Writer, r Release, s bundle.Sealer) (sign.Digest, error) {
	m := bundle.ReleaseManifest{
		Product:  r.Product,
		Version:  r.Version,
		Channel:  bundle.Canary,
		Commit:   r.Commit,
		Gates:    r.Gates,
		Root:     r.Root,
		Verifier: bundle.KeyRef{PKRef: s.Public().KeyID()},
	}
	m.Provenance.Head = r.Head
	var files []bundle.Content
	type origin struct {
		artifact bundle.Artifact
		audit    string
	}
	made := map[string]origin{} // by uri: what came first, and from which AuditBundle
	copied := map[string]bool{}
	for i, name := range r.Audit {
		in, err := readAudit(name)
		if err != nil {
			return sign.Digest{}, err
		}
		if in.manifest.Outcome != "ok" {
			return sign.Digest{}, fmt.Errorf("%s: a release cannot rest on a run whose outcome is %s", name, in.manifest.Outcome)
		}
		cards := bundle.CardRefs{Pipeline: in.manifest.PipelineCard.Hash, Param: in.manifest.ParamCard.Hash}
		if i > 0 && cards != m.Cards {
			return sign.Digest{}, fmt.Errorf("%s: its cards are not those of %s", name, r.Audit[0])
		}
		m.Cards = cards
		m.Provenance.Audit = append(m.Provenance.Audit, in.id)
		for _, a := range in.manifest.Artifacts {
			first, ok := made[a.URI]
			switch {
			case !ok:
				made[a.URI] = origin{a, name}
				m.Artifacts = append(m.Artifacts, a)
			case first.artifact != a:
				return sign.Digest{}, fmt.Errorf("%s: its artifact %s is not that of %s", name, a.URI, first.audit)
			}
		}
		evidence, err := bundle.FileContent(bundle.EvidencePath(in.id), bundle.RoleEvidence, name)
		if err != nil {
			return sign.Digest{}, err
		}
		files = append(files, evidence)
		walk := &walk{name: name}
		defer walk.Close()
		for _, c := range in.copies(walk) {
			if !copied[c.Path] {
				copied[c.Path] = true
				files = append(files, c)
			}
		}
	}
	slices.SortFunc(m.Provenance.Audit, func(a, b sign.Digest) int { return strings.Compare(a.Hex(), b.Hex()) })
	slices.SortFunc(m.Artifacts, func(a, b bundle.Artifact) int { return strings.Compare(a.URI, b.URI) })
	guide := bundle.BytesContent(bundle.GuidePath, bundle.RoleGuide, m.Guide())
	return bundle.SealRelease(w, m, append(files, guide), s)
}

// An auditFile is an AuditBundle in a file and what its manifest says.
type auditFile struct {
	name     string
	id       sign.Digest
	manifest bundle.AuditManifest
}

func readAudit(name string) (auditFile, error) {
	info, err := os.Stat(name)
	if err != nil {
		return auditFile{}, err
	}
	if !info.Mode().IsRegular() {
		return auditFile{}, fmt.Errorf("%s: an audit bundle is embedded as a .tar.zst file", name)
	}
	body, err := openInside(name, bundle.ManifestPath)
	if err != nil {
		return auditFile{}, err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return auditFile{}, err
	}
	if kind, _ := bundle.ManifestKind(data); kind == bundle.KindRelease {
		return auditFile{}, fmt.Errorf("%s: is a ReleaseBundle; an AuditBundle is asked for, the record of a run, such as *.audit.tar.zst", name)
	}
	m, err := bundle.ReadAuditManifest(data)
	if err != nil {
		return auditFile{}, fmt.Errorf("%s: %w", name, err)
	}
	return auditFile{name, sign.Sum(data), m}, nil
}

// copies returns the artifacts that the bundle holds, to be read from it when
// the release is written.
func (a auditFile) copies(from *walk) []bundle.Content {
	var out []bundle.Content
	for _, f := range a.manifest.Files {
		if f.Role == bundle.RoleArtifact {
			out = append(out, bundle.Content{
				Path: f.Path, Role: f.Role, Size: f.Size, Hash: f.Hash,
				Open: func() (io.ReadCloser, error) { return from.open(f.Path) },
			})
		}
	}
	return out
}
