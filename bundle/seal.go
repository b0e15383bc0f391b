package bundle

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// A Sealer signs a manifest with one key in the three forms that a bundle
// carries: over bundle.id, as a DSSE statement in a Sigstore bundle, as an
// SSHSIG.
type Sealer interface {
	Public() sign.PublicKey
	Seal(manifest, sums []byte, predicateType string) (id sign.Signature, sigstoreBundle, sshsig []byte, err error)
}

// SealAudit writes the AuditBundle of m and files to w, as tar.zst, and returns
// its bundle.id. It fills in schema, kind, files and verifier and refuses what
// [ReadAuditManifest] would refuse. Nothing is signed before everything is
// hashed and checked, and nothing is added after that: a file that is no longer
// the one that was hashed is an error. The same input gives the same tar.
func SealAudit(w io.Writer, m AuditManifest, files []Content, s Sealer) (sign.Digest, error) {
	files = sorted(files)
	m.Schema, m.Kind = AuditSchema, KindAudit
	m.Files, m.Verifier = listed(files), KeyRef{PKRef: s.Public().KeyID()}
	if err := m.Check().err(); err != nil {
		return sign.Digest{}, fmt.Errorf("manifest of the audit bundle: %w", err)
	}
	b, err := seal(m, AuditPredicate, files, s)
	if err != nil {
		return sign.Digest{}, err
	}
	return b.id, b.writeTo(w)
}

// SealRelease writes the ReleaseBundle of m and files to w, as [SealAudit] does
// an AuditBundle.
func SealRelease(w io.Writer, m ReleaseManifest, files []Content, s Sealer) (sign.Digest, error) {
	files = sorted(files)
	m.Schema, m.Kind = ReleaseSchema, KindRelease
	m.Files, m.Verifier = listed(files), KeyRef{PKRef: s.Public().KeyID()}
	if err := m.Check().err(); err != nil {
		return sign.Digest{}, fmt.Errorf("manifest of the release bundle: %w", err)
	}
	b, err := seal(m, ReleasePredicate, files, s)
	if err != nil {
		return sign.Digest{}, err
	}
	return b.id, b.writeTo(w)
}

// WriteSealed lets seal write the bundle at path. The file is there whole after
// it returned nil and not at all otherwise. A file that exists is an error
// (fs.ErrExist) unless replace is set.
func WriteSealed(path string, replace bool, seal func(io.Writer) (sign.Digest, error)) (sign.Digest, error) {
	f, err := durable.Create(path, 0o644, replace)
	if err != nil {
		return sign.Digest{}, err
	}
	defer f.Discard()
	id, err := seal(f)
	if err != nil {
		return sign.Digest{}, err
	}
	return id, f.Commit()
}

func sorted(files []Content) []Content {
	return slices.SortedFunc(slices.Values(files), func(a, b Content) int { return strings.Compare(a.Path, b.Path) })
}

func listed(files []Content) []File {
	list := make([]File, len(files))
	for i, c := range files {
		list[i] = File{Path: c.Path, Role: c.Role, Hash: c.Hash, Size: c.Size}
	}
	return list
}

// sealed is a bundle whose manifest is signed. It has no way to add to it.
type sealed struct {
	id    sign.Digest
	files []Content // all of them, in the order of a bundle
}

// seal signs the manifest, which has passed its checks.
func seal(manifest any, predicate string, files []Content, s Sealer) (sealed, error) {
	data, err := canon.Marshal(manifest)
	if err != nil {
		return sealed{}, err
	}
	if _, err := outline(data); err != nil { // its sizes
		return sealed{}, fmt.Errorf("manifest: %w", err)
	}
	id, sums := sign.Sum(data), Sums(data, listed(files))
	sig, sigstore, sshsig, err := s.Seal(data, sums, predicate)
	if err != nil {
		return sealed{}, fmt.Errorf("sealing: %w", err)
	}
	if !s.Public().Verify(id[:], sig) {
		return sealed{}, fmt.Errorf("sealing: the signature does not verify with %s", s.Public().KeyID())
	}
	all := append([]Content{
		BytesContent(ManifestPath, "", data),
		BytesContent(SigIDPath, "", sig[:]),
		BytesContent(SigDSSEPath, "", sigstore),
		BytesContent(SigSSHPath, "", sshsig),
		BytesContent(SumsPath, "", sums),
	}, files...)
	slices.SortFunc(all, func(a, b Content) int { return compare(a.Path, b.Path) })
	var total int64 // files and sizes have limits, so it stays far from overflow
	for _, c := range all {
		total += c.Size
	}
	if total > limits.Bundle {
		return sealed{}, fmt.Errorf("the files have %d bytes together, the limit is %d", total, limits.Bundle)
	}
	return sealed{id: id, files: all}, nil
}

// writeTo writes the bundle as tar.zst.
func (b sealed) writeTo(w io.Writer) error {
	z, err := newZstdWriter(w)
	if err != nil {
		return err
	}
	if err := b.writeTar(z); err != nil {
		return err
	}
	return z.Close()
}

func (b sealed) writeTar(w io.Writer) error {
	t := &tarWriter{w: w}
	for _, c := range b.files {
		if err := addContent(t, c); err != nil {
			return err
		}
	}
	return t.end()
}

// addContent writes c, which must still be what was hashed.
func addContent(t *tarWriter, c Content) error {
	r, err := c.Open()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Path, err)
	}
	defer r.Close()
	h := sha256.New()
	if err := t.add(c.Path, c.Size, io.TeeReader(r, h)); err != nil {
		return err
	}
	if got := h.Sum(nil); !bytes.Equal(got, c.Hash[:]) {
		return fmt.Errorf("%s: changed while it was being sealed: sha256:%x, before %s", c.Path, got, c.Hash)
	}
	return nil
}
