package comb

import (
	"encoding/binary"
	"sync"

	"filippo.io/edwards25519"
)

// scalarBits is the length of the scalars below L < 2^252 + 2^125, but for the
// few from 2^252 up, which the last digit covers; see digits.
const scalarBits = 252

// A table holds the multiples of a point P that sums are made of:
//
//	rows[i][j−1] = j·2^(width·i)·P
//
// with j up to 2^(width−1). The digits of the last row are not signed: it is for
// the t = 252 − width·i topmost bits and goes up to 2^t.
type table struct {
	width int
	rows  [][]point
}

// tables are the tables of A and of B, which is at least as wide.
type tables struct{ a, b *table }

func (t *tables) width() int {
	if t == nil {
		return 0
	}
	return t.a.width
}

// tiers says from how many signatures on which widths are used, for A and for B. A
// tier begins about where its tables have paid for themselves: a Verifier takes at most
// about twice the time of the best choice in hindsight. One table, and a signature
// with two of them, which takes crypto/ed25519 36 µs:
//
//	width  entries  memory    to build  a signature
//	    7     2368  0.2 MiB    0.4 ms   7.0 µs
//	    9     7424  0.6 MiB    1.0 ms   5.7 µs
//	   12    45056  3.8 MiB    5.0 ms   4.4 µs
//
// Of A, of which there may be many, 11 bits are enough: 2 MiB less for 4% more time.
// At 13 and 14 bits the time spent waiting for memory eats up what the fewer
// additions save.
var tiers = []tier{{0, 0, 0}, {32, 7, 7}, {1024, 9, 9}, {8192, 11, 12}}

type tier struct {
	from int64
	a, b int // widths
}

// maxRows is the number of rows of the narrowest tables.
const maxRows = scalarBits / 7

func tierFor(signatures int64) (t tier) {
	for _, next := range tiers {
		if signatures >= next.from {
			t = next
		}
	}
	return t
}

// base holds the widest table of B that was needed so far. All keys share it.
var base struct {
	sync.Mutex
	*table
}

// baseTable returns a table of B of at least that width.
func baseTable(width int) *table {
	base.Lock()
	defer base.Unlock()
	if base.table == nil || base.width < width {
		base.table = newTable(edwards25519.NewGeneratorPoint(), width)
	}
	return base.table
}

// newTable makes the table of any point. Each entry but the powers of two is
// one addition: from the first m−1 entries of a row follow the entries m+1 to
// 2m−1, by adding the mth. All rows double together and share inversions.
func newTable(p *edwards25519.Point, width int) *table {
	doubles := make([]edwards25519.Point, scalarBits+1)
	doubles[0].Set(p)
	for i := range scalarBits {
		doubles[i+1].Double(&doubles[i])
	}
	b := batches.Get().(*batch)
	defer batches.Put(b)
	power := make([]point, len(doubles)) // power[i] = 2^i·P
	b.fromEdwards(power, doubles)

	t := &table{width: width}
	for at := 0; at < scalarBits; at += width {
		entries := 1 << (width - 1)
		if at+width >= scalarBits {
			entries = 1 << (scalarBits - at)
		}
		t.rows = append(t.rows, make([]point, entries))
	}
	var target [maxSums]*point
	n := 0
	flush := func() {
		b.add(b.sum[:n], b.by[:n])
		for i, p := range b.sum[:n] {
			*target[i] = p
		}
		n = 0
	}
	for level := range width + 1 {
		m := 1 << level
		for i, row := range t.rows {
			if m > len(row) {
				continue
			}
			row[m-1] = power[width*i+level]
			for j := range min(m-1, len(row)-m) {
				target[n], b.sum[n], b.by[n] = &row[m+j], row[j], row[m-1]
				if n++; n == maxSums {
					flush()
				}
			}
		}
		flush()
	}
	return t
}

// digits calls set(i, d) with the digit d of s for each row i:
//
//	s = Σ d·2^(width·i),  −2^(width−1) < d ≤ 2^(width−1)
//
// but for the last, 0 ≤ d ≤ 2^t. That holds them all: either s < 2^252, and the
// topmost t bits and a carry make at most 2^t; or s − 2^252 < 2^125, and zeros
// below the topmost bit let no carry through.
func (t *table) digits(s *[32]byte, set func(i int, d int16)) {
	var padded [36]byte
	copy(padded[:], s[:])
	w, last, carry := uint(t.width), len(t.rows)-1, uint32(0)
	for i := range last {
		at := w * uint(i)
		d := binary.LittleEndian.Uint32(padded[at/8:])>>(at%8)&(1<<w-1) + carry
		carry = (d + 1<<(w-1) - 1) >> w // 1 if d > 2^(w−1)
		set(i, int16(d)-int16(carry<<w))
	}
	at := w * uint(last)
	set(last, int16(binary.LittleEndian.Uint32(padded[at/8:])>>(at%8)+carry))
}
