package bundle

import (
	"fmt"

	"github.com/relseal/relseal/finding"
)

// ManifestKind returns KindAudit or KindRelease. It looks at the schema before
// anything else, so that a document of another format or a later version is
// E_SCHEMA_MISMATCH and not a list of unknown members. The error is of type
// [Faults].
func ManifestKind(data []byte) (string, error) {
	schema, err := outline(data)
	if err != nil {
		return "", err
	}
	switch schema {
	case AuditSchema:
		return KindAudit, nil
	case ReleaseSchema:
		return KindRelease, nil
	default:
		return "", mismatch(schema, AuditSchema+" or "+ReleaseSchema)
	}
}

// ReadAuditManifest reads the canonical bytes of an AuditManifest and checks its
// form. The error is of type [Faults]. If the document can be read and only
// breaks rules of [AuditManifest.Check], it is returned with them; if not, its
// Schema is empty.
func ReadAuditManifest(data []byte) (AuditManifest, error) {
	var m AuditManifest
	if err := read(data, AuditSchema, &m, map[string]longList{
		`"trails"`: elements[Trail]{&m.Trails}, `"artifacts"`: elements[Artifact]{&m.Artifacts}, `"files"`: elements[File]{&m.Files},
	}); err != nil {
		return AuditManifest{}, err
	}
	return m, m.Check().err()
}

// ReadReleaseManifest reads the canonical bytes of a ReleaseManifest, as
// [ReadAuditManifest] does those of an AuditManifest.
func ReadReleaseManifest(data []byte) (ReleaseManifest, error) {
	var m ReleaseManifest
	if err := read(data, ReleaseSchema, &m, map[string]longList{
		`"artifacts"`: elements[Artifact]{&m.Artifacts}, `"files"`: elements[File]{&m.Files},
	}); err != nil {
		return ReleaseManifest{}, err
	}
	return m, m.Check().err()
}

func read(data []byte, want string, v any, lists map[string]longList) error {
	schema, err := outline(data)
	if err != nil {
		return err
	}
	if schema != want {
		return mismatch(schema, want)
	}
	if err := unmarshal(data, v, lists); err != nil {
		return fault(finding.Format, err.Error())
	}
	return nil
}

func mismatch(got, want string) error {
	return fault(finding.SchemaMismatch, fmt.Sprintf("schema is %s, want %s", quote(got), want))
}

func fault(code finding.Code, text string) error {
	return Faults{{Code: code, Path: ManifestPath, Text: text}}
}
