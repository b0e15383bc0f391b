package comb

import (
	"crypto/sha512"
	"hash"

	"filippo.io/edwards25519"

	"github.com/relseal/relseal/sign"
)

// chunk is how many signatures advance together, in lanes: see combine. More at a
// time would outgrow the caches.
const chunk = 128

// A batch is the scratch memory of one goroutine, a quarter of a mebibyte.
type batch struct {
	inverter
	sum, by [maxSums]point
	// digits[w][i] belongs to signature i and to row w of B's table and then of A's.
	digits [2 * maxRows][chunk]int16
	hash   hash.Hash
	s, k   *edwards25519.Scalar
	digest [sha512.Size]byte
}

func newBatch() *batch {
	return &batch{hash: sha512.New(), s: edwards25519.NewScalar(), k: edwards25519.NewScalar()}
}

// verify sets ok[i] where the encoding of [s]B − [k]A is R and s is canonical,
// except that it may miss some such; see match.
func (b *batch) verify(key *[32]byte, t *tables, messages [][]byte, sigs []sign.Signature, ok []bool) {
	for i := range sigs {
		sig := &sigs[i]
		_, err := b.s.SetCanonicalBytes(sig[32:])
		ok[i] = err == nil
		b.hash.Reset()
		b.hash.Write(sig[:32])
		b.hash.Write(key[:])
		b.hash.Write(messages[i])
		if _, err := b.k.SetUniformBytes(b.hash.Sum(b.digest[:0])); err != nil {
			panic(err) // only of another length
		}
		b.load(t, i, b.s, b.k)
	}
	b.match(b.combine(t, len(sigs)), sigs, ok)
}

// load sets the digits of signature i.
func (b *batch) load(t *tables, i int, s, k *edwards25519.Scalar) {
	ofA := b.digits[len(t.b.rows):]
	t.b.digits((*[32]byte)(s.Bytes()), func(row int, d int16) { b.digits[row][i] = d })
	t.a.digits((*[32]byte)(k.Bytes()), func(row int, d int16) { ofA[row][i] = -d })
}

// combine returns [s]B − [k]A for the n pairs that were loaded.
//
// Every signature has a sum to which it adds one entry after the other, one
// addition of all signatures after the other. Where they are too few to make
// an inversion cheap, each has several such sums, lanes, that are added up in
// the end.
func (b *batch) combine(t *tables, n int) []point {
	windows := len(t.b.rows) + len(t.a.rows)
	lanes := min(maxSums/n, windows)
	clear(b.sum[:lanes*n])
	for w := range windows {
		lane := w % lanes
		gather(b.by[lane*n:lane*n+n], t.row(w), b.digits[w][:n])
		if lane == lanes-1 || w == windows-1 {
			b.add(b.sum[:(lane+1)*n], b.by[:])
		}
	}
	for lanes > 1 {
		half := (lanes + 1) / 2
		b.add(b.sum[:(lanes-half)*n], b.sum[half*n:])
		lanes = half
	}
	return b.sum[:n]
}

// row returns a row of B's table or, above, of A's.
func (t *tables) row(w int) []point {
	if w < len(t.b.rows) {
		return t.b.rows[w]
	}
	return t.a.rows[w-len(t.b.rows)]
}

// gather sets to[i] to digits[i] times the point of row. It is a loop of its own
// so that the processor waits for many entries at once: with additions that
// fetch their own, the largest tables were a fifth slower, and more beside other
// work.
func gather(to, row []point, digits []int16) {
	for i, d := range digits {
		p := &to[i]
		switch {
		case d > 0:
			*p = row[d-1]
		case d < 0:
			*p = row[-d-1]
			p.y.Negate(&p.y)
		default:
			p.finite = false
		}
	}
}
