package verify

import (
	"errors"
	"fmt"
	"io"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// An UnverifiedManifest is what a bundle says of itself. Nothing of it is checked: it
// serves to find the bundle that is worth verifying.
type UnverifiedManifest struct {
	ID        sign.Digest
	Kind      string // audit or release
	Product   string
	Version   string // of a release
	Channel   string // of a release
	Artifacts []bundle.Artifact
}

// ErrNoBundle says that a file or directory begins with no manifest that can be read.
var ErrNoBundle = errors.New("no bundle with a readable manifest")

// Peek reads the manifest of the bundle called name and nothing else. It returns an error
// that wraps ErrNoBundle if there is none, and any other if name cannot be read.
func Peek(name string) (m UnverifiedManifest, err error) {
	src, err := bundle.Open(name, func(Finding) {})
	if err != nil {
		return m, err
	}
	defer src.Close()
	none := fmt.Errorf("%s: %w", name, ErrNoBundle)
	e, err := src.Next()
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, bundle.ErrBroken):
		return m, none
	case err != nil:
		return m, err
	case e.Path != bundle.ManifestPath || e.Size > limits.Manifest:
		return m, none
	}
	data, err := io.ReadAll(e.Body)
	if errors.Is(err, bundle.ErrBroken) {
		return m, none
	}
	if err != nil {
		return m, err
	}
	m.ID = sign.Sum(data)
	if r, err := bundle.ReadReleaseManifest(data); err == nil {
		m.Kind, m.Product, m.Version, m.Channel, m.Artifacts = r.Kind, r.Product, r.Version, r.Channel, r.Artifacts
		return m, nil
	}
	if a, err := bundle.ReadAuditManifest(data); err == nil {
		m.Kind, m.Product, m.Artifacts = a.Kind, a.Product, a.Artifacts
		return m, nil
	}
	return m, none
}

// VersionOf returns the version that the release bundle called name states. It is
// the caller's own copy; nothing is verified.
func VersionOf(name string) (string, error) {
	m, err := Peek(name)
	if err == nil && m.Version == "" || errors.Is(err, ErrNoBundle) {
		err = fmt.Errorf("%s: neither a version nor a release bundle", name)
	}
	return m.Version, err
}
