// Package private reads and writes the files of private keys, and signs with them.
//
// A key is Ed25519. Five forms of private key are read, all of which other tools
// write too: PKCS#8 PEM, plain (openssl genpkey) or encrypted under PBES2 with
// AES-CBC (openssl genpkey -aes256), sigstore's encrypted PEM (cosign
// generate-key-pair's container), and OpenSSH's format, plain or encrypted
// (ssh-keygen).
//
// A file holds exactly one key and nothing else, as package keys says of public ones. A
// private key that others can use is refused (on Unix, mode & 077).
//
// It is apart from package keys because it links what decrypts keys: a program that
// verifies has no use for that.
package private

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"

	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/bulk"
)

// A Key is an Ed25519 private key in memory. It implements [sign.Signer];
// several goroutines may sign at once. Its Format method keeps the key out of
// logs.
type Key struct {
	key    ed25519.PrivateKey
	bulk   *bulk.Signer
	public sign.PublicKey
}

// Generate makes a key from 32 bytes of random, or of the system's source of
// randomness if random is nil.
func Generate(random io.Reader) (*Key, error) {
	_, key, err := ed25519.GenerateKey(random)
	if err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	return newKey(key)
}

// newPrivate holds that the public half belongs to the seed: signing with
// another one reveals the private key.
func newKey(key ed25519.PrivateKey) (*Key, error) {
	if len(key) != ed25519.PrivateKeySize || !bytes.Equal(ed25519.NewKeyFromSeed(key.Seed()), key) {
		return nil, errors.New("the public half of the private key does not belong to it")
	}
	public, err := sign.ParsePublicKey(key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	return &Key{key: key, bulk: bulk.New(key), public: public}, nil
}

// Public returns the public key.
func (p *Key) Public() sign.PublicKey { return p.public }

// Sign signs message as it is, without hashing it first. It verifies what it
// made: a fault while an Ed25519 signature is computed can reveal the key, and
// verifying costs tens of microseconds.
func (p *Key) Sign(message []byte) (sign.Signature, error) {
	if p.key == nil {
		return sign.Signature{}, errors.New("sign: no private key")
	}
	return checked(p.public, message, ed25519.Sign(p.key, message))
}

// SignAll signs each of messages as Sign does, at a fifth of its cost: many at a
// time, and it does not verify what it made. It is for messages that are never signed
// twice, since attacks by a fault compare two signatures of one, of which one is
// disturbed.
func (p *Key) SignAll(messages [][]byte) ([]sign.Signature, error) {
	if p.bulk == nil {
		return nil, errors.New("sign: no private key")
	}
	sigs := make([]sign.Signature, len(messages))
	p.bulk.Sign(messages, sigs)
	return sigs, nil
}

// checked returns raw as a signature only if it is one of message by key.
func checked(key sign.PublicKey, message, raw []byte) (sign.Signature, error) {
	if len(raw) != len(sign.Signature{}) || !key.Verify(message, sign.Signature(raw)) {
		return sign.Signature{}, errors.New("sign: the signature just made does not verify; this machine miscalculates")
	}
	return sign.Signature(raw), nil
}

// PKCS8PEM returns the key as an unencrypted "PRIVATE KEY" block, byte for byte
// as openssl pkey writes it.
func (p *Key) PKCS8PEM() ([]byte, error) {
	if p.key == nil {
		return nil, errors.New("encode: no private key")
	}
	return cryptoutils.MarshalPrivateKeyToPEM(p.key)
}

// EncryptedPEM returns the key in sigstore's encrypted form, "ENCRYPTED SIGSTORE
// PRIVATE KEY": PKCS#8 in a NaCl secret box under a key that scrypt derives from
// passphrase. The passphrase must not be empty.
func (p *Key) EncryptedPEM(passphrase []byte) ([]byte, error) {
	if p.key == nil {
		return nil, errors.New("encrypt: no private key")
	}
	if len(passphrase) == 0 {
		return nil, errors.New("encrypt: the passphrase is empty")
	}
	der, err := cryptoutils.MarshalPrivateKeyToEncryptedDER(p.key, cryptoutils.StaticPasswordFunc(passphrase))
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return cryptoutils.PEMEncode(cryptoutils.EncryptedSigstorePrivateKeyPEMType, der), nil
}

// Format writes the key's id for every verb, so that no %v, %+v or %x prints the
// key itself.
func (p Key) Format(w fmt.State, _ rune) {
	fmt.Fprintf(w, "private key %s", p.public.KeyID())
}
