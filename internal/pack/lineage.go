package pack

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// lineage returns what a release that came from the bundle called name carries of it: its
// manifest, which must have the id, and the raw signatures of everybody who signed it.
// Whether they count is for the verifier to say: it knows who may sign.
func lineage(name string, id sign.Digest, m bundle.ReleaseManifest) ([]bundle.Content, error) {
	manifest, sigs, err := signed(name)
	if err != nil {
		return nil, err
	}
	if sign.Sum(manifest) != id {
		return nil, fmt.Errorf("%s: changed after it was verified", name)
	}
	s := bundle.Signatures{Schema: bundle.SignaturesSchema}
	for path, sig := range sigs {
		by := bundle.SignatureBy{KeyID: m.Verifier.PKRef, Sig: sig}
		if dir, further := strings.CutPrefix(path, bundle.SigByDir); further {
			hex, _, _ := strings.Cut(dir, "/")
			d, err := sign.ParseDigest("sha256:" + hex)
			if err != nil {
				continue // nobody's
			}
			by.KeyID = sign.KeyID(d)
		}
		s.Signatures = append(s.Signatures, by)
	}
	slices.SortFunc(s.Signatures, func(a, b bundle.SignatureBy) int { return strings.Compare(a.KeyID.String(), b.KeyID.String()) })
	s.Signatures = slices.CompactFunc(s.Signatures, func(a, b bundle.SignatureBy) bool { return a.KeyID == b.KeyID })
	data, err := canon.Marshal(s)
	if err != nil {
		return nil, err
	}
	return []bundle.Content{
		bundle.BytesContent(bundle.FromPath(id), bundle.RoleLineage, manifest),
		bundle.BytesContent(bundle.FromSignaturesPath(id), bundle.RoleLineage, data),
	}, nil
}

// signed returns the manifest of a bundle and its raw signatures by path.
func signed(name string) (manifest []byte, sigs map[string]sign.Signature, err error) {
	var fault error
	src, err := bundle.Open(name, func(f finding.Finding) {
		if f.Verdict == finding.Reject {
			fault = errors.Join(fault, fmt.Errorf("%s: %w", name, f.Err()))
		}
	})
	if err != nil {
		return nil, nil, err
	}
	defer src.Close()
	sigs = map[string]sign.Signature{}
	for {
		e, err := src.Next()
		switch {
		case fault != nil:
			return nil, nil, fault
		case errors.Is(err, io.EOF):
			return manifest, sigs, nil
		case err != nil:
			return nil, nil, err
		case e.Path == bundle.ManifestPath:
			if e.Size > limits.Lineage {
				return nil, nil, fmt.Errorf("%s: its manifest has %d bytes; one that a release comes from has at most %d", name, e.Size, limits.Lineage)
			}
			if manifest, err = io.ReadAll(e.Body); err != nil {
				return nil, nil, err
			}
		case e.Path == bundle.SigIDPath, strings.HasPrefix(e.Path, bundle.SigByDir) && strings.HasSuffix(e.Path, "/"+strings.TrimPrefix(bundle.SigIDPath, "sig/")):
			data, err := io.ReadAll(io.LimitReader(e.Body, int64(len(sign.Signature{}))+1))
			if err != nil {
				return nil, nil, err
			}
			if len(data) == len(sign.Signature{}) {
				sigs[e.Path] = sign.Signature(data)
			}
		case !strings.HasPrefix(e.Path, "sig/"):
			return manifest, sigs, nil // these come first
		}
	}
}
