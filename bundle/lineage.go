package bundle

import (
	"fmt"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/sign"
)

// A promoted release carries the manifests that it came from, back to the canary that
// was measured, each with the signatures of those who vouched for it. Without them the
// holder of one role could take another role's release further with other artifacts.

// FromDir holds the lineage of a promoted release.
const FromDir = EvidenceDir + "from/"

// FromPath returns where a promoted release holds the manifest of the bundle with this
// bundle.id.
func FromPath(id sign.Digest) string { return FromDir + id.Hex() + "/" + fromManifest }

// FromSignaturesPath returns where it holds the signatures of that bundle.id.
func FromSignaturesPath(id sign.Digest) string { return FromDir + id.Hex() + "/" + fromSignatures }

const (
	fromManifest   = "manifest.json"
	fromSignatures = "signatures.json"
)

var fromPath = lazyregexp.New(`^` + FromDir + `([0-9a-f]{64})/(manifest|signatures)\.json$`)

// FromID returns the bundle.id that a path of the lineage is about, and whether it is
// that of its manifest.
func FromID(path string) (id sign.Digest, manifest, ok bool) {
	part := fromPath.FindStringSubmatch(path)
	if part == nil {
		return id, false, false
	}
	id, err := sign.ParseDigest("sha256:" + part[1])
	return id, strings.HasSuffix(path, "/"+fromManifest), err == nil
}

// generations is how many bundles a release on a channel came from.
var generations = map[string]int{Canary: 0, Stable: 1, LTS: 2}

// lineage checks that the manifests listed are as many as the channel has below it, each
// under its bundle.id and beside its signatures, and that the nearest is among them.
func (r *rules) lineage(m ReleaseManifest) {
	want, known := generations[m.Channel]
	if !known {
		return // has its fault
	}
	parts := map[sign.Digest]int{}
	var order []sign.Digest
	for _, f := range m.Files {
		id, manifest, ok := FromID(f.Path)
		if f.Role != RoleLineage || !ok {
			continue
		}
		if parts[id]++; parts[id] == 1 {
			order = append(order, id)
		}
		r.must(!manifest || f.Hash == id, "files: %s has another digest than its path says", quote(f.Path))
	}
	r.must(len(parts) == want, "files: the release came from %d, and %d are listed below %s", want, len(parts), FromDir)
	for _, id := range order {
		r.must(parts[id] == 2, "files: %s without its manifest or its signatures", FromDir+id.Hex())
	}
	if id := m.Provenance.Previous; id != nil {
		r.must(parts[*id] > 0, "files: %s is not listed", FromPath(*id))
	}
}

// SignaturesSchema names the format of the signatures of a carried manifest.
const SignaturesSchema = "relseal/signatures/v1"

// Signatures are those of the bundle.id of a manifest that a promoted release carries.
type Signatures struct {
	Schema     string        `json:"schema"`
	Signatures []SignatureBy `json:"signatures"` // at least one, sorted by key id
}

// A SignatureBy is what a signer's bundle.id.sig holds.
type SignatureBy struct {
	KeyID sign.KeyID     `json:"keyid"`
	Sig   sign.Signature `json:"sig"`
}

// ReadSignatures reads their canonical bytes. The error is of type [*Error].
func ReadSignatures(path string, data []byte) (Signatures, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	var s Signatures
	if canon.Peek(data, &head) == nil && head.Schema != SignaturesSchema {
		return s, (&Error{Code: finding.SchemaMismatch, Text: fmt.Sprintf("schema is %s, want %s", quote(head.Schema), SignaturesSchema)}).at(path)
	}
	if err := canon.Unmarshal(data, &s); err != nil {
		return s, formatf("%v", err).at(path)
	}
	if len(s.Signatures) == 0 {
		return s, formatf("signatures: is empty").at(path)
	}
	for i, by := range s.Signatures {
		if i > 0 && s.Signatures[i-1].KeyID.String() >= by.KeyID.String() {
			return s, formatf("signatures[%d]: %s is not sorted, or occurs twice", i, by.KeyID).at(path)
		}
	}
	return s, nil
}
