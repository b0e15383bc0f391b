package wrap

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/ssh"

	"github.com/relseal/relseal/sign"
)

// The two structures of OpenSSH's PROTOCOL.sshsig, after their magic.
type (
	sshMessage  struct{ Namespace, Reserved, HashAlgorithm, Hash string }
	sshEnvelope struct {
		Version                                                  uint32
		PublicKey, Namespace, Reserved, HashAlgorithm, Signature string
	}
)

const sshMagic = "SSHSIG"

// ssh returns the SSHSIG file over message, its signature made and verified by
// x/crypto's SSH code. sigstore's own signature/ssh package fixes the namespace
// to "file", under which people sign all kinds of things.
func (s *Sealer) ssh(namespace string, message []byte) ([]byte, error) {
	signer, err := ssh.NewSignerFromSigner(cryptoSigner{s})
	if err != nil {
		return nil, err
	}
	sum := sha512.Sum512(message)
	blob := append([]byte(sshMagic), ssh.Marshal(sshMessage{Namespace: namespace, HashAlgorithm: "sha512", Hash: string(sum[:])})...)
	made, err := signer.Sign(rand.Reader, blob)
	if err != nil {
		return nil, err
	}
	if err := signer.PublicKey().Verify(blob, made); err != nil {
		return nil, fmt.Errorf("x/crypto's verifier: %w", err)
	}
	sig, err := toSignature(made.Blob)
	if err != nil {
		return nil, err
	}
	file := sign.SSHSIG(s.public, namespace, sig)
	want := append([]byte(sshMagic), ssh.Marshal(sshEnvelope{
		Version:       1,
		PublicKey:     string(signer.PublicKey().Marshal()),
		Namespace:     namespace,
		HashAlgorithm: "sha512",
		Signature:     string(ssh.Marshal(made)),
	})...)
	if block, rest := pem.Decode(file); block == nil || len(rest) != 0 || !bytes.Equal(block.Bytes, want) {
		return nil, errors.New("x/crypto marshals the signature otherwise")
	}
	if err := readsBack(file, sign.SSHSIGSignature, sig); err != nil {
		return nil, err
	}
	if !s.public.Verify(sign.SSHSIGMessage(namespace, message), sig) {
		return nil, errSignature
	}
	return file, nil
}

// cryptoSigner is a Sealer as a crypto.Signer of whole messages.
type cryptoSigner struct{ s *Sealer }

func (a cryptoSigner) Public() crypto.PublicKey { return ed25519.PublicKey(a.s.public.Bytes()) }

func (a cryptoSigner) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != 0 {
		return nil, errors.New("an Ed25519 key signs messages, not digests")
	}
	sig, err := a.s.sign(message)
	return sig[:], err
}
