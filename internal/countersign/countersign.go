// Package countersign adds further signatures to a sealed bundle, also such that were made
// elsewhere: it says what has to be signed, and takes back what was.
package countersign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
	"github.com/relseal/relseal/verify"
)

// Signable reports whether nothing but signatures is missing.
func Signable(r *verify.Report, undecidable bool) bool {
	if r.Bundle.ID == nil {
		return false
	}
	for _, f := range r.Diag.Findings {
		switch {
		case f.Code == finding.Threshold, f.Verdict == verify.Note:
		case f.Verdict == verify.Undecidable && undecidable:
		default:
			return false
		}
	}
	return true
}

// A Bundle is what signing needs of a sealed bundle.
type Bundle struct {
	Name string
	ID   sign.Digest
	Role string // as which its signers sign

	manifest  []byte
	sums      []byte
	predicate string
	copies    map[string][]byte // of the root
	signers   []verify.KeyUse
}

// Open reads it. signers are those that the report about the bundle names.
func Open(name string, signers []verify.KeyUse) (Bundle, error) {
	s := Bundle{Name: name, copies: map[string][]byte{}, signers: signers}
	src, err := bundle.Open(name, func(finding.Finding) {})
	if err != nil {
		return s, err
	}
	defer src.Close()
	for {
		e, err := src.Next()
		if errors.Is(err, io.EOF) || err == nil && e.Path != bundle.ManifestPath && !strings.HasPrefix(e.Path, "sig/") {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		_, isRoot := root.VersionOf(e.Path)
		if e.Path != bundle.ManifestPath && !isRoot {
			continue
		}
		data, err := io.ReadAll(e.Body)
		if err != nil {
			return s, err
		}
		if isRoot {
			s.copies[e.Path] = data
		} else if err := s.read(data); err != nil {
			return s, err
		}
	}
}

func (b *Bundle) read(manifest []byte) error {
	b.manifest, b.ID = manifest, sign.Sum(manifest)
	kind, err := bundle.ManifestKind(manifest)
	if err != nil {
		return err
	}
	if kind == bundle.KindRelease {
		m, err := bundle.ReadReleaseManifest(manifest)
		b.sums, b.predicate, b.Role = bundle.Sums(manifest, m.Files), bundle.ReleasePredicate, verify.SealRole(nil, &m)
		return err
	}
	m, err := bundle.ReadAuditManifest(manifest)
	b.sums, b.predicate, b.Role = bundle.Sums(manifest, m.Files), bundle.AuditPredicate, verify.SealRole(&m, nil)
	return err
}

// MayCount refuses to add a signature that no reader would count: a second one by the
// same key, or one by a key without the role.
func (b Bundle) MayCount(o verify.Options, key sign.PublicKey) error {
	for _, k := range b.signers {
		if k.ID == key.KeyID() && slices.ContainsFunc(k.Signed, func(file string) bool {
			return file == bundle.SigIDPath || strings.HasPrefix(file, bundle.SigByDir)
		}) {
			return hint.With(fmt.Errorf("%s has signed it already", k.ID), "a key counts once; relseal bundle show says who has signed")
		}
	}
	if o.Root == nil {
		return nil
	}
	authority, _ := o.Root.Walk(b.copies)
	if g, ok := authority.Grant(b.Role, key.KeyID()); !ok || g.Status != sign.Active {
		return fmt.Errorf("%s may not sign as %s by this root", key.KeyID(), b.Role)
	}
	return nil
}

// The files of a payload. Each is signed as it is; its signature, 64 raw bytes, has
// the same name and .sig. The manifest is for ssh-keygen -Y sign, which wraps it on
// its own; sshsig.message is what it wraps, for those who have no ssh-keygen.
const (
	IDFile        = "bundle.id"      // 32 raw bytes
	StatementFile = "statement.pae"  // of the DSSE envelope
	SSHFile       = "sshsig.message" // of the SSHSIG
	ManifestFile  = "manifest.json"
)

// Payload returns the messages to sign by the names of their files.
func (b Bundle) Payload() (map[string][]byte, error) {
	statement, err := sign.Statement(b.manifest, b.sums, b.predicate)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		IDFile:        b.ID[:],
		StatementFile: sign.PAE(sign.PayloadType, statement),
		SSHFile:       sign.SSHSIGMessage(sign.Namespace, b.manifest),
		ManifestFile:  b.manifest,
	}, nil
}

// Attached returns the three files of a signer made of what was signed elsewhere.
func (b Bundle) Attached(dir string, key sign.PublicKey) (map[string][]byte, error) {
	files, err := b.Payload()
	if err != nil {
		return nil, err
	}
	id, err := rawSignature(filepath.Join(dir, IDFile+".sig"), files[IDFile], key)
	if err != nil {
		return nil, err
	}
	made, err := rawSignature(filepath.Join(dir, StatementFile+".sig"), files[StatementFile], key)
	if err != nil {
		return nil, err
	}
	ssh, err := b.sshSignature(dir, files[SSHFile], key)
	if err != nil {
		return nil, err
	}
	statement, err := sign.Statement(b.manifest, b.sums, b.predicate)
	if err != nil {
		return nil, err
	}
	wrapped, err := sign.SigstoreBundle(key, statement, made)
	if err != nil {
		return nil, err
	}
	return bundle.Further(key.KeyID(), id, wrapped, sign.SSHSIG(key, sign.Namespace, ssh)), nil
}

// sshSignature takes the raw signature, or else what ssh-keygen wrote.
func (b Bundle) sshSignature(dir string, message []byte, key sign.PublicKey) (sign.Signature, error) {
	sig, err := rawSignature(filepath.Join(dir, SSHFile+".sig"), message, key)
	if !errors.Is(err, fs.ErrNotExist) {
		return sig, err
	}
	name := filepath.Join(dir, ManifestFile+".sig")
	data, otherErr := regular.ReadFile(name, limits.Signature)
	if otherErr != nil {
		return sig, err
	}
	if sig, err = sign.SSHSIGSignature(data); err != nil {
		return sig, fmt.Errorf("%s: %w", name, err)
	}
	if !key.Verify(message, sig) {
		return sig, notSignedBy(name, key)
	}
	return sig, nil
}

func rawSignature(name string, message []byte, key sign.PublicKey) (sign.Signature, error) {
	data, err := regular.ReadFile(name, limits.Signature)
	if err != nil {
		return sign.Signature{}, hint.With(err, "relseal bundle sign --payload DIR says what has to be signed")
	}
	if len(data) != len(sign.Signature{}) || !key.Verify(message, sign.Signature(data)) {
		return sign.Signature{}, notSignedBy(name, key)
	}
	return sign.Signature(data), nil
}

func notSignedBy(name string, key sign.PublicKey) error {
	return hint.With(fmt.Errorf("%s: not a signature of this bundle by %s", name, key.KeyID()), "openssl pkeyutl -sign -rawin makes the 64 bytes that are expected")
}

// RootCopies returns the signed versions in a directory by their places in a bundle.
func RootCopies(dir string) (map[string][]byte, error) {
	roots, err := keys.OpenRoots(dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	if roots.Chain == nil {
		return files, nil
	}
	first, last := roots.Chain.Versions()
	for n := first; n <= last; n++ {
		r, _ := roots.Chain.At(n)
		if files[bundle.SigRootDir+root.FileName(n)], err = r.Marshal(); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// withKey trusts one key more.
type withKey struct {
	sign.Verifiers
	key sign.PublicKey
}

func (w withKey) Verifier(id sign.KeyID) (sign.PublicKey, bool) {
	if id == w.key.KeyID() {
		return w.key, true
	}
	return w.Verifiers.Verifier(id)
}

// Seal returns the three files of one more signer.
func (b Bundle) Seal(private sign.Signer) (map[string][]byte, error) {
	sig, sigstore, sshsig, err := wrap.New(private).Seal(b.manifest, b.sums, b.predicate)
	return bundle.Further(private.Public().KeyID(), sig, sigstore, sshsig), err
}

// Write writes the bundle with further files below sig/, and verifies what it wrote: with
// key, too, where there is no root that would have to name it.
func (b Bundle) Write(ctx context.Context, out string, force bool, add map[string][]byte, o verify.Options, key *sign.PublicKey) (*verify.Report, error) {
	if _, err := bundle.WriteSealed(out, force, func(w io.Writer) (sign.Digest, error) {
		return bundle.AddSigned(w, b.Name, add)
	}); err != nil {
		return nil, err
	}
	if o.Root == nil && key != nil {
		o.Keys = withKey{o.Keys, *key}
	}
	report, err := verify.File(ctx, out, o)
	if report == nil {
		return nil, err
	}
	return report, nil
}
