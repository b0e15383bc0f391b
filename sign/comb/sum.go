package comb

import "filippo.io/edwards25519/field"

// maxSums is how many additions share an inversion at most. An inversion costs
// some 250 multiplications; memory for more sums than these outgrows the caches.
const maxSums = 1024

// An inverter inverts many elements at the cost of one inversion and three
// multiplications for each, by Montgomery's trick. The elements den[i] are
// pushed in any order, the product of all is inverted, and the inverses are
// popped in the opposite order:
//
//	1/den[i] = prefix[i] · 1/(prefix[i]·den[i])
//
// where prefix[i] is the product of what was pushed before i.
type inverter struct {
	product     field.Element
	den, prefix [maxSums]field.Element
}

func (v *inverter) reset() { v.product = one }

func (v *inverter) push(i int) {
	v.prefix[i] = v.product
	v.product.Multiply(&v.product, &v.den[i])
}

// invert works if and only if nothing that was pushed is zero.
func (v *inverter) invert() { v.product.Invert(&v.product) }

func (v *inverter) pop(i int, inverse *field.Element) {
	inverse.Multiply(&v.product, &v.prefix[i])
	v.product.Multiply(&v.product, &v.den[i])
}

// add adds by[i] to to[i] for every i, any points, with one inversion:
//
//	λ = (y2−y1)/(x2−x1)    x3 = λ² − x1 − x2    y3 = λ(x1−x3) − y1
//
// What stands in by afterwards is undefined.
func (v *inverter) add(to, by []point) {
	by = by[:len(to)]
	v.reset()
	for i := range to {
		p1, p2 := &to[i], &by[i]
		if !p2.finite {
			continue
		}
		if !p1.finite {
			*p1, p2.finite = *p2, false // which leaves nothing to add
			continue
		}
		v.den[i].Subtract(&p2.x, &p1.x)
		v.push(i)
	}
	// One look at the product replaces a look at each difference.
	if isZero(&v.product) {
		v.addEqual(to, by)
	}
	v.invert()
	var l, t field.Element
	for i := len(to) - 1; i >= 0; i-- {
		p1, p2 := &to[i], &by[i]
		if !p2.finite {
			continue
		}
		v.pop(i, &l)
		t.Subtract(&p2.y, &p1.y)
		l.Multiply(&l, &t)
		p1.chord(&l, &p2.x)
	}
}

// chord sets p to the third point of the line with slope l through p and a point
// with the given x, reflected: to their sum.
func (p *point) chord(l, x *field.Element) {
	var t field.Element
	t.Square(l)
	t.Subtract(&t, &p.x)
	t.Subtract(&t, x)
	p.x.Subtract(&p.x, &t)
	l.Multiply(l, &p.x)
	p.x = t
	p.y.Subtract(l, &p.y)
}

// addEqual does the additions of points with equal x, of a point and itself or
// its negative, and pushes the rest anew. They come up where somebody arranged
// for it, by a key with a known relation to B or by a point of small order.
func (v *inverter) addEqual(to, by []point) {
	v.reset()
	for i := range to {
		p1, p2 := &to[i], &by[i]
		if !p2.finite {
			continue
		}
		if !isZero(&v.den[i]) {
			v.push(i)
			continue
		}
		p2.finite = false
		var l, t field.Element
		if t.Add(&p1.y, &p2.y); isZero(&t) {
			*p1 = point{}
			continue
		}
		t.Invert(&t) // 1/2y, since y1 = y2
		l.Square(&p1.x)
		l.Mult32(&l, 3)
		l.Add(&l, &curveA)
		l.Multiply(&l, &t)
		p1.chord(&l, &p2.x)
	}
}
