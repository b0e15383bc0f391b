// Package wrap makes the three signatures of a bundle: one over its id, one
// inside a Sigstore bundle, one as an SSHSIG. It is the writing half of package
// sign.
//
// Package sign says what each signature is over and how its file is laid out, for those
// who read and for those who write. Each file is read back before it is returned. That
// other people's code makes and accepts the same bytes, sigstore's DSSE signer and
// x/crypto's SSH signer, the tests hold.
package wrap

import (
	"errors"
	"fmt"

	"github.com/relseal/relseal/sign"
)

// A Sealer seals manifests with one key.
type Sealer struct {
	signer sign.Signer
	public sign.PublicKey
}

// New returns a Sealer that signs with s.
func New(s sign.Signer) *Sealer { return &Sealer{signer: s, public: s.Public()} }

// Public returns the key that Seal signs with.
func (s *Sealer) Public() sign.PublicKey { return s.public }

// Seal signs a bundle's manifest. It returns the signature over the 32 bytes of
// bundle.id = SHA-256(manifest), and the files sig/manifest.sigstore.json and
// sig/manifest.sshsig. sums is the bundle's SHA256SUMS, predicateType the URI
// that tells an AuditBundle from a ReleaseBundle.
//
// Seal hashes the manifest itself: it never signs a digest that somebody else
// computed.
func (s *Sealer) Seal(manifest, sums []byte, predicateType string) (id sign.Signature, sigstoreBundle, sshsig []byte, err error) {
	fail := func(what string, err error) (sign.Signature, []byte, []byte, error) {
		return sign.Signature{}, nil, nil, fmt.Errorf("%s: %w", what, err)
	}
	if s.public.IsZero() {
		return fail("seal", errors.New("the signer has no key"))
	}
	if len(manifest) == 0 {
		return fail("seal", errors.New("the manifest is empty"))
	}
	digest := sign.Sum(manifest)
	if id, err = s.sign(digest[:]); err != nil {
		return fail("signature over bundle.id", err)
	}
	statement, err := sign.Statement(manifest, sums, predicateType)
	if err != nil {
		return fail("in-toto statement", err)
	}
	if sigstoreBundle, err = s.sigstore(statement); err != nil {
		return fail("Sigstore bundle", err)
	}
	if sshsig, err = s.ssh(manifest); err != nil {
		return fail("SSH signature", err)
	}
	return id, sigstoreBundle, sshsig, nil
}

var errSignature = errors.New("the signer returned a signature that does not verify")

// sign returns the signer's signature over message, verified: a signer may be a
// device or a service, and both fail.
func (s *Sealer) sign(message []byte) (sign.Signature, error) {
	sig, err := s.signer.Sign(message)
	if err != nil {
		return sign.Signature{}, err
	}
	if !s.public.Verify(message, sig) {
		return sign.Signature{}, errSignature
	}
	return sig, nil
}

// sigstore returns the Sigstore bundle around statement.
func (s *Sealer) sigstore(statement []byte) ([]byte, error) {
	sig, err := s.sign(sign.PAE(sign.PayloadType, statement))
	if err != nil {
		return nil, err
	}
	file, err := sign.SigstoreBundle(s.public, statement, sig)
	if err == nil {
		err = readsBack(file, sign.SigstoreSignature, sig)
	}
	if err != nil {
		return nil, err
	}
	return file, nil
}

// ssh returns the SSHSIG file over message.
func (s *Sealer) ssh(message []byte) ([]byte, error) {
	sig, err := s.sign(sign.SSHSIGMessage(sign.Namespace, message))
	if err != nil {
		return nil, err
	}
	file := sign.SSHSIG(s.public, sign.Namespace, sig)
	if err := readsBack(file, sign.SSHSIGSignature, sig); err != nil {
		return nil, err
	}
	return file, nil
}

// readsBack holds that a reader takes sig out of file.
func readsBack(file []byte, parse func([]byte) (sign.Signature, error), sig sign.Signature) error {
	taken, err := parse(file)
	if err == nil && taken != sig {
		err = errors.New("a reader takes another signature from the file")
	}
	return err
}
