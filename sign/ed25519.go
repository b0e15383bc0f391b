package sign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"filippo.io/edwards25519"
)

// ErrWeakKey reports a public key that is not the canonical encoding of a point
// of prime order. Every common library accepts, for such a key, signatures that
// hold for many messages or for all of them.
var ErrWeakKey = errors.New("E_KEY_WEAK: not a canonical point of prime order")

// A PublicKey is an Ed25519 public key that passed the checks of
// [ParsePublicKey]. The zero value verifies nothing.
type PublicKey struct{ raw [ed25519.PublicKeySize]byte }

// ParsePublicKey checks the 32 bytes of RFC 8032 and returns the key. It
// returns an error wrapping ErrWeakKey where the bytes are not the canonical
// encoding of a point in the prime-order subgroup, the identity excluded.
func ParsePublicKey(raw []byte) (PublicKey, error) {
	if len(raw) != ed25519.PublicKeySize {
		return PublicKey{}, fmt.Errorf("an Ed25519 public key has %d bytes, not %d", ed25519.PublicKeySize, len(raw))
	}
	p, err := new(edwards25519.Point).SetBytes(raw)
	if err != nil {
		return PublicKey{}, fmt.Errorf("%w: not on the curve", ErrWeakKey)
	}
	if string(p.Bytes()) != string(raw) {
		return PublicKey{}, fmt.Errorf("%w: second encoding of its point", ErrWeakKey)
	}
	if p.Equal(edwards25519.NewIdentityPoint()) == 1 || !primeOrder(p) {
		return PublicKey{}, fmt.Errorf("%w: small or mixed order", ErrWeakKey)
	}
	return PublicKey{[ed25519.PublicKeySize]byte(raw)}, nil
}

// primeOrder reports whether [L]p is the identity. Scalars are reduced modulo
// L, so it asks the same of L-1: whether [L-1]p = -p.
func primeOrder(p *edwards25519.Point) bool {
	one := make([]byte, 32)
	one[0] = 1
	s, err := edwards25519.NewScalar().SetCanonicalBytes(one)
	if err != nil {
		panic(err)
	}
	lMinusOne := edwards25519.NewScalar().Negate(s)
	q := new(edwards25519.Point).ScalarMult(lMinusOne, p)
	return q.Equal(new(edwards25519.Point).Negate(p)) == 1
}

// Bytes returns the 32 bytes of RFC 8032.
func (k PublicKey) Bytes() []byte { return k.raw[:] }

// IsZero reports whether k is the zero value, which is no key.
func (k PublicKey) IsZero() bool { return k == PublicKey{} }

// SSH returns the key in OpenSSH's wire form (RFC 8709).
func (k PublicKey) SSH() []byte { return appendSSH(appendSSH(nil, []byte("ssh-ed25519")), k.raw[:]) }

// spkiPrefix is SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING } up to the
// key. crypto/x509 would write the same and bring a network stack with it.
var spkiPrefix = []byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}

// SPKI returns the key as a DER SubjectPublicKeyInfo (RFC 8410).
func (k PublicKey) SPKI() []byte { return append(bytes.Clone(spkiPrefix), k.raw[:]...) }

// KeyID returns the name of the key.
func (k PublicKey) KeyID() KeyID { return sha256.Sum256(k.SSH()) }

// Verify reports whether s is a signature of message by k: the encoding of
// [s]B − [SHA-512(R‖A‖M)]A equals R byte for byte, and s < L. That is the
// cofactorless rule of RFC 8032 as crypto/ed25519 and OpenSSL apply it.
func (k PublicKey) Verify(message []byte, s Signature) bool {
	return !k.IsZero() && ed25519.Verify(k.raw[:], message, s[:])
}

// A Signer signs for one key. Keys in files, agents and key services
// implement it.
type Signer interface {
	Public() PublicKey
	Sign(message []byte) (Signature, error)
}

// A BulkSigner has its key in this process and signs many messages at a lower cost than
// one after the other. Whoever calls SignAll never signs the same message twice: attacks
// by a fault in the computation compare two signatures of one message. The signatures
// are in the order of the messages, and need not have been verified.
type BulkSigner interface {
	Signer
	SignAll(messages [][]byte) ([]Signature, error)
}

// Verifiers answers which public key has an id, if the caller trusts it.
type Verifiers interface {
	Verifier(id KeyID) (PublicKey, bool)
}

// Only returns Verifiers that trust one key.
func Only(key PublicKey) Verifiers { return only{key, key.KeyID()} }

type only struct {
	key PublicKey
	id  KeyID
}

func (o only) Verifier(id KeyID) (PublicKey, bool) { return o.key, id == o.id && !o.key.IsZero() }

// appendSSH appends s as an SSH string: its length in four big-endian bytes, then s.
func appendSSH(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}
