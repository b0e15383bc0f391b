package comb

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"

	"github.com/relseal/relseal/sign"
)

// encodes reports whether p is the image of want, by the encoding; the two
// points that match never finds, by their coordinates.
func encodes(p point, want *edwards25519.Point) bool {
	if t := want.Bytes(); isZero(&p.y) || !p.finite {
		order2 := append([]byte{0xec}, slices.Repeat([]byte{0xff}, 31)...)
		order2[31] = 0x7f
		return !p.finite && t[0] == 1 && want.Equal(edwards25519.NewIdentityPoint()) == 1 ||
			p.finite && p.x.Equal(&shift) == 1 && slices.Equal(t, order2)
	}
	var sig sign.Signature
	copy(sig[:], want.Bytes())
	ok := []bool{true}
	newBatch().match([]point{p}, []sign.Signature{sig}, ok)
	return ok[0]
}

// interesting returns points of all orders, with relations among them: torsion,
// multiples of B that stand in tables, large multiples, and sums of these.
func interesting(t *testing.T) (points []edwards25519.Point) {
	r := random(t.Name())
	large := scalar(read(r, 64))
	for _, s := range []*edwards25519.Scalar{
		small(0), small(1), small(2), small(3), small(128), small(2048), large,
		edwards25519.NewScalar().Negate(large), edwards25519.NewScalar().Negate(small(1)), edwards25519.NewScalar().Add(large, large),
	} {
		for _, e := range torsion(t) {
			p := baseTimes(s)
			p.Add(p, e)
			points = append(points, *new(edwards25519.Point).Set(p))
		}
	}
	return points
}

// TestCurve holds that the map keeps the group: on-curve, one to one, and sums go
// to sums, for every pair of interesting points, all at once and each alone.
func TestCurve(t *testing.T) {
	from := interesting(t)
	b := newBatch()
	to := make([]point, len(from))
	b.fromEdwards(to, from)
	curveB := new(field.Element).Square(&shift) // b = A/3·(2(A/3)² − 1)
	curveB.Add(curveB, curveB)
	curveB.Subtract(curveB, &one)
	curveB.Multiply(curveB, &shift)
	for i, p := range to {
		if !encodes(p, &from[i]) {
			t.Errorf("point %d is mapped wrongly", i)
		}
		if !p.finite {
			continue
		}
		rhs, y2 := new(field.Element).Square(&p.x), new(field.Element).Square(&p.y)
		rhs.Add(rhs, &curveA)
		rhs.Multiply(rhs, &p.x)
		if rhs.Add(rhs, curveB); rhs.Equal(y2) == 0 {
			t.Errorf("point %d is mapped off the curve", i)
		}
	}
	for i := range from {
		sums, by := slices.Repeat(to[i:i+1], len(to)), slices.Clone(to)
		b.add(sums, by)
		for j := range from {
			want := new(edwards25519.Point).Add(&from[i], &from[j])
			alone := []point{to[i]}
			b.add(alone, []point{to[j]})
			if !encodes(sums[j], want) || !encodes(alone[0], want) {
				t.Errorf("point %d + point %d: together %v, alone %v", i, j, encodes(sums[j], want), encodes(alone[0], want))
			}
		}
	}
}

// edges are scalars at the limits of the recoding.
func edges() []*edwards25519.Scalar {
	minus := func(s *edwards25519.Scalar) *edwards25519.Scalar { return edwards25519.NewScalar().Negate(s) }
	power := func(n int) *edwards25519.Scalar {
		wide := make([]byte, 64)
		wide[n/8] = 1 << (n % 8)
		return scalar(wide)
	}
	s := []*edwards25519.Scalar{small(0), small(1), small(2), small(64), small(65), small(127), small(128), small(129), small(2048), small(2049), minus(small(1)), minus(small(2)), minus(small(2048))}
	for _, n := range []int{7, 8, 9, 12, 120, 124, 125, 126, 128, 240, 244, 245, 251, 252} {
		s = append(s, power(n), minus(power(n)), edwards25519.NewScalar().Subtract(power(n), small(1)))
	}
	for _, fill := range []byte{0x55, 0xaa, 0x77, 0x80, 0x7f, 0xff, 0x88} { // runs of carries
		wide := slices.Repeat([]byte{fill}, 64)
		clear(wide[31:])
		s = append(s, scalar(wide))
	}
	return s
}

func TestDigits(t *testing.T) {
	r := random(t.Name())
	scalars := edges()
	for range 1000 {
		scalars = append(scalars, scalar(read(r, 64)))
	}
	for width := 7; width <= 13; width++ {
		tb := newTable(edwards25519.NewGeneratorPoint(), width)
		radix := small(1 << width)
		for _, s := range scalars {
			digits := make([]int16, len(tb.rows))
			tb.digits((*[32]byte)(s.Bytes()), func(i int, d int16) { digits[i] = d })
			sum := edwards25519.NewScalar()
			for i, d := range slices.Backward(digits) {
				if int(d) > len(tb.rows[i]) || int(-d) >= len(tb.rows[i]) && d < 0 {
					t.Fatalf("width %d: digit %d of %x is %d, beyond the table's %d", width, i, s.Bytes(), d, len(tb.rows[i]))
				}
				sum.Multiply(sum, radix)
				if d < 0 {
					sum.Subtract(sum, small(uint64(-int64(d))))
				} else {
					sum.Add(sum, small(uint64(d)))
				}
			}
			if sum.Equal(s) == 0 {
				t.Fatalf("width %d: the digits of %x make %x", width, s.Bytes(), sum.Bytes())
			}
		}
	}
}

// TestTable compares every entry with the sum that it should be, for a base of
// large order and for bases whose multiples come round to the identity.
func TestTable(t *testing.T) {
	for n, p := range append(torsion(t), new(edwards25519.Point).Add(torsion(t)[3], baseTimes(small(7)))) {
		tb := newTable(p, 7)
		at := new(edwards25519.Point).Set(p)
		for i, row := range tb.rows {
			sum := edwards25519.NewIdentityPoint()
			for j, entry := range row {
				if sum.Add(sum, at); !encodes(entry, sum) {
					t.Fatalf("base %d: entry %d of row %d is wrong", n, j+1, i)
				}
			}
			for range tb.width {
				at.Double(at)
			}
		}
	}
}

// TestCombine computes [s]B − [k]A for all pairs of edges, with keys that are
// small multiples of B, so that sums meet their own next entry or its negative,
// or are of small or mixed order. A third of the edges for s is taken, others in each
// run; all of them with RELSEAL_WHOLE=1.
func TestCombine(t *testing.T) {
	keys := []*edwards25519.Point{
		baseTimes(small(1)), baseTimes(small(2048)), baseTimes(edwards25519.NewScalar().Negate(small(1))),
		torsion(t)[1], torsion(t)[4], new(edwards25519.Point).Add(baseTimes(small(1)), torsion(t)[6]),
	}
	scalars := edges()
	for _, width := range [][2]int{{7, 7}, {7, 9}, {7, 12}, {9, 9}, {9, 12}, {11, 12}} {
		for n, a := range keys {
			tb := &tables{a: newTable(a, width[0]), b: baseOf(width[1])}
			minusA := new(edwards25519.Point).Negate(a)
			b := newBatch()
			for i, s := range scalars {
				if os.Getenv("RELSEAL_WHOLE") == "" && rand.IntN(3) > 0 {
					continue
				}
				for j, k := range scalars {
					b.load(tb, j, s, k)
				}
				for j, p := range b.combine(tb, len(scalars)) {
					want := new(edwards25519.Point).VarTimeDoubleScalarBaseMult(scalars[j], minusA, s)
					if !encodes(p, want) {
						t.Fatalf("widths %d, key %d: edges %d and %d make a wrong sum", width, n, i, j)
					}
				}
			}
		}
	}
}
