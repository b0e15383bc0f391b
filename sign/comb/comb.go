// Package comb verifies many Ed25519 signatures by one key, several times as
// fast as crypto/ed25519 and with its acceptance, bit for bit.
//
// # What is computed
//
// A signature (R, s) of M under the key A is valid iff s < L and the encoding
// of
//
//	Q = [s]B − [k]A,    k = SHA-512(R‖A‖M) mod L
//
// equals R byte for byte (RFC 8032, section 5.1.7, without the cofactor).
// crypto/ed25519 computes Q with about 250 doublings and 70 additions and
// spends two exponentiations more, on decoding A and on encoding Q. All
// signatures of a trail share A, so here
//
//   - the multiples j·2^(wi)·P of P = A and P = B stand in tables, as in the
//     fixed-base windows of Brickell, Gordon, McCurley and Wilson (1992) and
//     of Lim and Lee (1994), with signed digits: Q is a sum of ⌈252/w⌉ entries
//     of either table, and nothing is doubled;
//   - the sums of many signatures advance together, so that the inversion of
//     every affine addition is shared (Montgomery's trick, 1987) and one window
//     of a table at a time is in the cache;
//   - A is decoded once, and the encodings share one inversion too.
//
// # Coordinates
//
// An addition with an inversion at hand is cheapest in affine coordinates on the
// Weierstrass form of the curve: five multiplications and a squaring, three of
// them for the shared inversion, against seven multiplications for the mixed
// addition in the extended coordinates of Hisil, Wong, Carter and Dawson
// (2008). The entries of a table have two coordinates instead of three, and
// building one costs the same cheap additions. In field multiplications (M)
// and squarings (S), for w = 12 for B and 11 for A:
//
//	43 additions of 5M + 1S               215M +   43S
//	encoding                                9M
//	10 inversions, shared by 128 sums       1M +   20S
//	together                              225M +   63S
//	crypto/ed25519, about                1300M + 1500S
//
// # Why the acceptance is the same
//
// Q is an element of a group and has one encoding; whoever computes Q without
// error compares the same 32 bytes with R. No step here is an approximation,
// holds only with high probability, or assumes that A or R has prime order:
//
//   - Signed digits are an identity of integers, s = Σ d_i·2^(wi), so that
//     Σ d_i·(2^(wi)·P) = [s]P for a point P of any order. Only k is reduced
//     modulo L, as crypto/ed25519 does.
//   - The Weierstrass form is isomorphic to edwards25519 as a group, all points
//     included (curve.go). Its affine formulas divide by x2 − x1; pairs with
//     equal x are found and added by other formulas (sum.go).
//   - Where the encoding would divide by zero the fast path says no.
//
// So what it accepts, crypto/ed25519 accepts. About what it does not accept
// crypto/ed25519 is asked, and that answer counts: a wrong no would cost time and
// change no result.
//
// There is no randomness. Equations over random combinations of signatures would
// be faster still, but they do not tell which signature fails, and where points
// of small order are mixed in they accept what OpenSSL refuses.
//
// The arithmetic of field and scalars is that of filippo.io/edwards25519, the code
// of crypto/ed25519 as a module. Time and memory access depend on the inputs,
// which are public.
package comb

import (
	"crypto/ed25519"
	"sync"
	"sync/atomic"

	"filippo.io/edwards25519"

	"github.com/relseal/relseal/sign"
)

// A Verifier verifies signatures by one key. Several goroutines may use it.
//
// It starts without tables, leaving a few signatures to crypto/ed25519, and
// replaces its tables by larger ones as more signatures come, so that a short
// trail is not charged for what only a long one repays. The tables of a
// key take 0.2 MiB from 32 signatures on, 0.6 MiB from 1024 and 2.0 MiB from 8192;
// the table of B, of up to 3.8 MiB, is shared by all keys.
type Verifier struct {
	raw     [ed25519.PublicKeySize]byte
	a       *edwards25519.Point // nil where raw is not the encoding of a point
	confirm func(message []byte, s sign.Signature) bool

	seen     atomic.Int64
	tables   atomic.Pointer[tables]
	building sync.Mutex
}

// New returns a Verifier of signatures by key.
func New(key sign.PublicKey) *Verifier {
	if key.IsZero() { // which verifies nothing, though its bytes encode a point
		return &Verifier{confirm: key.Verify}
	}
	return newVerifier([ed25519.PublicKeySize]byte(key.Bytes()), key.Verify)
}

// newVerifier takes the bytes of any key, weak or malformed. They are decoded as
// crypto/ed25519 decodes them, second encodings of a point included.
func newVerifier(raw [ed25519.PublicKeySize]byte, confirm func([]byte, sign.Signature) bool) *Verifier {
	v := &Verifier{raw: raw, confirm: confirm}
	if p, err := new(edwards25519.Point).SetBytes(raw[:]); err == nil {
		v.a = p
	}
	return v
}

// batches holds the scratch memory of goroutines that are not verifying now.
var batches = sync.Pool{New: func() any { return newBatch() }}

// Verify sets ok[i] to whether sigs[i] is a signature of messages[i], for every
// i: to what key.Verify(messages[i], sigs[i]) returns. The three slices have one
// length. It is fastest for a hundred signatures at a time or more, and
// allocates nothing for each.
func (v *Verifier) Verify(messages [][]byte, sigs []sign.Signature, ok []bool) {
	if len(messages) != len(sigs) || len(ok) != len(sigs) {
		panic("comb: messages, signatures and results differ in number")
	}
	clear(ok)
	if t := v.tablesFor(len(sigs)); t != nil {
		b := batches.Get().(*batch)
		for at := 0; at < len(sigs); at += chunk {
			end := min(at+chunk, len(sigs))
			b.verify(&v.raw, t, messages[at:end], sigs[at:end], ok[at:end])
		}
		batches.Put(b)
	}
	for i, s := range sigs {
		ok[i] = ok[i] || v.confirm(messages[i], s)
	}
}

// tablesFor counts n more signatures and returns the tables to use for them,
// larger ones than before if that pays by now.
func (v *Verifier) tablesFor(n int) *tables {
	tier := tierFor(v.seen.Add(int64(n)))
	t := v.tables.Load()
	if v.a == nil || tier.a <= t.width() || !v.building.TryLock() {
		return t // while another goroutine builds, what there is must do
	}
	defer v.building.Unlock()
	if t = v.tables.Load(); tier.a > t.width() {
		t = &tables{a: newTable(v.a, tier.a), b: baseTable(tier.b)}
		v.tables.Store(t)
	}
	return t
}
