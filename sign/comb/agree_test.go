package comb

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"math/rand/v2"
	"slices"
	"testing"

	"filippo.io/edwards25519"

	"github.com/relseal/relseal/sign"
)

// order is L, little-endian.
var order = append([]byte{
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
}, append(make([]byte, 15), 0x10)...)

// plusOrder adds L to s, which gives the signature that malleability is about.
func plusOrder(s []byte) {
	carry := 0
	for i := range s {
		carry += int(s[i]) + int(order[i])
		s[i], carry = byte(carry), carry>>8
	}
}

// A mutation makes a signature that is a little wrong.
var mutations = []func(r *rand.Rand, p *pair){
	func(*rand.Rand, *pair) {},
	func(r *rand.Rand, p *pair) { p.sig[r.IntN(32)] ^= 1 << r.IntN(8) },
	func(r *rand.Rand, p *pair) { p.sig[32+r.IntN(32)] ^= 1 << r.IntN(8) },
	func(r *rand.Rand, p *pair) { p.sig[31] ^= 0x80 }, // the sign of R
	func(r *rand.Rand, p *pair) { plusOrder(p.sig[32:]) },
	func(r *rand.Rand, p *pair) { plusOrder(p.sig[32:]); plusOrder(p.sig[32:]) },
	func(r *rand.Rand, p *pair) { copy(p.sig[32:], order) },
	func(r *rand.Rand, p *pair) { clear(p.sig[32:]) },
	func(r *rand.Rand, p *pair) { clear(p.sig[:32]) },
	func(r *rand.Rand, p *pair) { clear(p.sig[:]) },
	func(r *rand.Rand, p *pair) { copy(p.sig[:], bytes.Repeat([]byte{0xff}, 64)) },
	func(r *rand.Rand, p *pair) {
		p.message = slices.Clone(p.message)
		p.message[r.IntN(len(p.message))] ^= 1 << r.IntN(8)
	},
	func(r *rand.Rand, p *pair) { p.message = p.message[1:] },
	func(r *rand.Rand, p *pair) { p.message = append(slices.Clone(p.message), 0) },
}

func mutate(src *rand.ChaCha8, pairs []pair) {
	r := rand.New(src)
	for i := range pairs {
		mutations[r.IntN(len(mutations))](r, &pairs[i])
	}
}

func TestMutations(t *testing.T) {
	r := random(t.Name())
	for _, width := range widths {
		key, pairs := honest(r, 2000)
		mutate(r, pairs)
		library, tables := agree(t, key.Public().(ed25519.PublicKey), width, pairs)
		if library != tables || library == 0 || library == len(pairs) {
			t.Errorf("width %d: of %d signatures crypto/ed25519 accepts %d, the tables %d", width, len(pairs), library, tables)
		}
	}
}

// TestMalleable has after each signature the same one with s + L, beside which
// nothing that was computed for the former may remain.
func TestMalleable(t *testing.T) {
	key, good := honest(random(t.Name()), 50)
	var pairs []pair
	for _, p := range good {
		pairs = append(pairs, p)
		plusOrder(p.sig[32:])
		pairs = append(pairs, p, p)
	}
	if library, tables := agree(t, key.Public().(ed25519.PublicKey), 7, pairs); library != 50 || tables != 50 {
		t.Errorf("of 50 signatures crypto/ed25519 accepts %d, the tables %d", library, tables)
	}
}

// TestLengths has messages of any length, empty ones and several SHA-512 blocks.
func TestLengths(t *testing.T) {
	r := random(t.Name())
	key, pairs := honest(r, 400)
	for n := range pairs {
		message := read(r, n)
		pairs[n] = pair{message, sign.Signature(ed25519.Sign(key, message))}
	}
	if library, tables := agree(t, key.Public().(ed25519.PublicKey), 7, pairs); library != 400 || tables != 400 {
		t.Errorf("of 400 signatures crypto/ed25519 accepts %d, the tables %d", library, tables)
	}
}

// encodings returns every encoding of points whose y is below 19, so that y + p
// encodes it too, and those of the points of small order: canonical or not, with
// either sign, x = 0 included.
func encodings(t *testing.T) (all [][]byte) {
	p := append([]byte{0xed}, slices.Repeat([]byte{0xff}, 31)...)
	p[31] = 0x7f
	for y := range 19 {
		second := slices.Clone(p)
		second[0] += byte(y) // p + 18 = 2^255 − 1
		all = append(all, append([]byte{byte(y)}, make([]byte, 31)...), second)
	}
	for _, e := range torsion(t) {
		all = append(all, e.Bytes())
	}
	for _, e := range all {
		negative := slices.Clone(e)
		negative[31] ^= 0x80
		all = append(all, negative)
	}
	return all
}

// TestOddEncodings puts each of them where R and where A belongs, with scalars
// for which [s]B − [k]A is that point or near it.
func TestOddEncodings(t *testing.T) {
	r := random(t.Name())
	key, _ := honest(r, 1)
	odd := encodings(t)
	library := 0
	for _, a := range append(odd, key.Public().(ed25519.PublicKey)) {
		var pairs []pair
		for _, e := range odd {
			for _, s := range []*edwards25519.Scalar{small(0), small(1), scalar(read(r, 64))} {
				pairs = append(pairs, pair{read(r, 32), sign.Signature(append(slices.Clone(e), s.Bytes()...))})
			}
		}
		n, _ := agree(t, a, 7, pairs)
		library += n
	}
	if library == 0 {
		t.Error("crypto/ed25519 accepts nothing of this: it tests little")
	}
}

// TestMixedOrder signs with every combination of a point of small order added to
// the key and another added to R, under a key of large and under one of small
// order: some hold without the cofactor, all of them with it.
func TestMixedOrder(t *testing.T) {
	r := random(t.Name())
	for _, secret := range []*edwards25519.Scalar{scalar(read(r, 64)), small(0)} {
		library, tables := 0, 0
		for _, ea := range torsion(t) {
			a := new(edwards25519.Point).Add(baseTimes(secret), ea).Bytes()
			var pairs []pair
			for range 16 {
				for _, er := range torsion(t) {
					nonce, message := scalar(read(r, 64)), read(r, 32)
					sig := new(edwards25519.Point).Add(baseTimes(nonce), er).Bytes()
					k := sha512.Sum512(slices.Concat(sig, a, message))
					sig = append(sig, edwards25519.NewScalar().MultiplyAdd(scalar(k[:]), secret, nonce).Bytes()...)
					pairs = append(pairs, pair{message, sign.Signature(sig)})
				}
			}
			l, f := agree(t, a, 8, pairs)
			library, tables = library+l, tables+f
		}
		if library != tables || library < 64 || library > 512 {
			t.Errorf("of 1024 signatures crypto/ed25519 accepts %d, the tables %d", library, tables)
		}
	}
}

// TestNoKey has bytes that encode no point: nothing verifies.
func TestNoKey(t *testing.T) {
	r := random(t.Name())
	_, pairs := honest(r, 40)
	raw := append([]byte{2}, make([]byte, 31)...)
	if _, err := new(edwards25519.Point).SetBytes(raw); err == nil {
		t.Fatal("that is a point")
	}
	if library, _ := agree(t, raw, 7, pairs); library != 0 {
		t.Error("crypto/ed25519 accepts a signature")
	}
}
