package comb

import (
	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"

	"github.com/relseal/relseal/sign"
)

// A point is a point of the short Weierstrass curve
//
//	Y² = X³ + aX + b    with X = u + A/3, Y = v, a = 1 − A²/3,
//
// where (u, v) is the point of Curve25519, v² = u³ + Au² + u with A = 486662,
// that RFC 7748 (section 4.1) assigns to the point (x, y) of edwards25519:
//
//	u = (1+y)/(1−y)    x = c·u/v
//	v = c·u/x          y = (u−1)/(u+1)    c² = −(A+2)
//
// With either root c it is an isomorphism of the groups of points over
// GF(2^255−19). The identity, (0, 1) there, is the point at infinity here: the
// zero value. The point (0, −1) of order two has (u, v) = (0, 0).
type point struct {
	x, y   field.Element
	finite bool
}

var (
	zero field.Element
	one  = *new(field.Element).One()

	montgomeryA = *new(field.Element).Mult32(&one, 486662)
	third       = *new(field.Element).Invert(new(field.Element).Mult32(&one, 3))
	shift       = *new(field.Element).Multiply(&montgomeryA, &third) // A/3
	curveA      = *new(field.Element).Subtract(&one, new(field.Element).Multiply(&montgomeryA, &shift))
	rootC       = *squareRoot(new(field.Element).Negate(new(field.Element).Mult32(&one, 486664)))
)

func squareRoot(e *field.Element) *field.Element {
	r, square := new(field.Element).SqrtRatio(e, &one)
	if square != 1 {
		panic("comb: not a square")
	}
	return r
}

func isZero(e *field.Element) bool { return e.Equal(&zero) == 1 }

// fromEdwards maps points with one inversion.
func (v *inverter) fromEdwards(to []point, from []edwards25519.Point) {
	var t field.Element
	v.reset()
	for i := range from {
		x, y, z, _ := from[i].ExtendedCoordinates()
		if isZero(x) {
			to[i] = point{}
			if y.Equal(z) == 0 {
				to[i] = point{x: shift, finite: true}
			}
			continue
		}
		// u = (Z+Y)/(Z−Y) and v = cuZ/X; y = 1 only where x = 0.
		v.den[i].Multiply(t.Subtract(z, y), x)
		v.push(i)
	}
	v.invert()
	for i := len(from) - 1; i >= 0; i-- {
		x, y, z, _ := from[i].ExtendedCoordinates()
		if isZero(x) {
			continue
		}
		p := &to[i]
		v.pop(i, &t)
		t.Multiply(&t, p.x.Add(z, y)) // u/X
		p.y.Multiply(&t, z)
		p.y.Multiply(&p.y, &rootC)
		p.x.Multiply(&t, x)
		p.x.Add(&p.x, &shift)
		p.finite = true
	}
}

// match clears ok[i] unless the encoding of points[i] is the first half of
// sigs[i], R. One inversion serves all; the points (0, 1) and (0, −1), where the
// formulas for x and y divide by zero, match nothing.
func (v *inverter) match(points []point, sigs []sign.Signature, ok []bool) {
	var u, x, y, inv field.Element
	v.reset()
	for i := range points {
		p := &points[i]
		u.Subtract(&p.x, &shift)
		x.Add(&u, &one)
		v.den[i].Multiply(&x, &p.y)
		ok[i] = ok[i] && p.finite && !isZero(&v.den[i])
		if ok[i] {
			v.push(i)
		}
	}
	v.invert()
	for i := len(points) - 1; i >= 0; i-- {
		if !ok[i] {
			continue
		}
		v.pop(i, &inv) // 1/(u+1)v
		p := &points[i]
		u.Subtract(&p.x, &shift)
		x.Add(&u, &one)
		x.Multiply(&x, &inv)
		x.Multiply(&x, &u)
		x.Multiply(&x, &rootC)
		y.Subtract(&u, &one)
		y.Multiply(&y, &inv)
		y.Multiply(&y, &p.y)
		encoding := [32]byte(y.Bytes())
		encoding[31] |= byte(x.IsNegative() << 7)
		ok[i] = encoding == [32]byte(sigs[i][:32])
	}
}
