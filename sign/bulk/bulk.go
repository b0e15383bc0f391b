// Package bulk makes many Ed25519 signatures by one key, the bytes that
// crypto/ed25519 makes, at 70% of its cost.
//
// A signature of M by the key with the secret scalar a, the prefix p and the
// public key A (RFC 8032, section 5.1.6) is the encoding of R, then s:
//
//	r = SHA-512(p‖M) mod L
//	R = [r]B
//	s = r + SHA-512(R‖A‖M)·a mod L
//
// To encode R = (X/Z, Y/Z) divides by Z, which costs half of what [r]B does, and
// crypto/ed25519 encodes it twice. Here many signatures share one inversion, by
// Montgomery's trick (1987), at three multiplications each.
//
// Nothing else differs. The nonce r is a function of key and message, so there is
// one right answer, and a test compares. The arithmetic of points and scalars is
// that of filippo.io/edwards25519, the code of crypto/ed25519 as a module, and
// takes the same time and touches the same memory whatever the secrets are; so do
// the products here. Nothing branches on a secret or looks anything up by one.
package bulk

import (
	"crypto/ed25519"
	"crypto/fips140"
	"crypto/sha512"
	"hash"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"

	"github.com/relseal/relseal/sign"
)

// A Signer signs for one key. Several goroutines may use it.
type Signer struct {
	key    ed25519.PrivateKey
	scalar *edwards25519.Scalar // a
	prefix [32]byte             // p
}

// New returns a Signer for key, whose public half must belong to its seed: with
// another one its signatures reveal the key.
func New(key ed25519.PrivateKey) *Signer {
	h := sha512.Sum512(key.Seed())
	a, err := edwards25519.NewScalar().SetBytesWithClamping(h[:32])
	if err != nil {
		panic(err) // only of another length
	}
	return &Signer{key: key, scalar: a, prefix: [32]byte(h[32:])}
}

// Sign sets sigs[i] to the signature of messages[i], for every i. The two slices
// have one length. Each message is read twice and must not change in between, or
// share memory with sigs: two hashes of one nonce reveal the key.
//
// Where only validated modules may sign, in FIPS 140-3 mode, crypto/ed25519 does.
func (s *Signer) Sign(messages [][]byte, sigs []sign.Signature) {
	if len(messages) != len(sigs) {
		panic("bulk: messages and signatures differ in number")
	}
	if fips140.Enabled() {
		for i, m := range messages {
			sigs[i] = sign.Signature(ed25519.Sign(s.key, m))
		}
		return
	}
	b := newBatch(min(len(messages), chunk))
	for at := 0; at < len(sigs); at += chunk {
		end := min(at+chunk, len(sigs))
		b.sign(s, messages[at:end], sigs[at:end])
	}
}

// chunk is how many signatures share an inversion: of 250 multiplications, two
// are left for each.
const chunk = 128

// A batch is the memory of a call of Sign.
type batch struct {
	commitments []commitment
	hash        hash.Hash
	digest      [sha512.Size]byte
}

// A commitment is R with its nonce.
type commitment struct {
	r       edwards25519.Scalar
	x, y, z *field.Element
	before  field.Element // the product of the z before
}

func newBatch(n int) *batch {
	return &batch{commitments: make([]commitment, n), hash: sha512.New()}
}

func (b *batch) sign(s *Signer, messages [][]byte, sigs []sign.Signature) {
	var point edwards25519.Point
	product := new(field.Element).One()
	for i, m := range messages {
		c := &b.commitments[i]
		b.scalar(&c.r, s.prefix[:], m)
		c.x, c.y, c.z, _ = point.ScalarBaseMult(&c.r).ExtendedCoordinates()
		c.before.Set(product)
		product.Multiply(product, c.z)
	}
	// No z is zero: there is no point at infinity in these coordinates.
	inverse := product.Invert(product)
	public := s.key[ed25519.SeedSize:]
	var z field.Element
	var k edwards25519.Scalar
	for i := len(messages) - 1; i >= 0; i-- {
		c, sig := &b.commitments[i], &sigs[i]
		z.Multiply(inverse, &c.before) // 1/z
		inverse.Multiply(inverse, c.z)
		copy(sig[:], c.y.Multiply(c.y, &z).Bytes())
		sig[31] |= byte(c.x.Multiply(c.x, &z).IsNegative() << 7)
		b.scalar(&k, sig[:32], public, messages[i])
		copy(sig[32:], k.MultiplyAdd(&k, s.scalar, &c.r).Bytes())
	}
}

// scalar sets to to the SHA-512 of parts, modulo L.
func (b *batch) scalar(to *edwards25519.Scalar, parts ...[]byte) {
	b.hash.Reset()
	for _, part := range parts {
		b.hash.Write(part)
	}
	if _, err := to.SetUniformBytes(b.hash.Sum(b.digest[:0])); err != nil {
		panic(err) // only of another length
	}
}
