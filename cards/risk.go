package cards

import (
	"math/big"

	"github.com/relseal/relseal/canon"
)

// comparison sums up what was found:
//
//	risk_index = Σ w_j impact_j / Σ w_j        (S32-18)
//
// over the members j that differ, of which each has the weight of its class.
// The specification leaves impact_j open. Here it is fixed for each class, as
// [Weights] lists them, but for the value of a parameter. It is rounded before
// it is summed up, so that the index follows from what the comparison says.
//
// The index is a mean: a label that changes along with a command lowers it. It
// orders changes; it does not replace reading them.
func (d *differ) comparison() (Comparison, error) {
	if d.err != nil {
		return Comparison{}, d.err
	}
	sum, weights := new(big.Rat), new(big.Rat)
	for _, j := range d.found {
		w := j.Weight.Rat()
		weights.Add(weights, w)
		sum.Add(sum, w.Mul(w, j.Impact.Rat()))
	}
	c := Comparison{Differences: d.found, RiskIndex: "0"}
	if weights.Sign() > 0 {
		c.RiskIndex = sixDecimals(sum.Quo(sum, weights))
	}
	return c, nil
}

// impact returns how far the value of p lies from that of next, which is
// another one. Of two numbers of the same type and unit it is
//
//	|new - old| / (greatest - least)       over both domains together,
//	|new - old| / max(|old|, |new|)        if one has no domain; at most 1.
//
// Anything else is as different as can be: 1.
func (p Param) impact(next Param) canon.Decimal {
	if p.Type != next.Type || p.Unit != next.Unit || p.Type != TypeInteger && p.Type != TypeReal {
		return impactRuns
	}
	old, now := number(p.Value), number(next.Value)
	span := larger(new(big.Rat).Abs(old), new(big.Rat).Abs(now))
	if len(p.Domain) == 2 && len(next.Domain) == 2 {
		least, greatest := number(p.Domain[0]), larger(number(p.Domain[1]), number(next.Domain[1]))
		if other := number(next.Domain[0]); other.Cmp(least) < 0 {
			least = other
		}
		span = new(big.Rat).Sub(greatest, least)
	}
	way := new(big.Rat).Sub(now, old)
	way.Abs(way)
	if way.Cmp(span) >= 0 {
		return impactRuns
	}
	return sixDecimals(way.Quo(way, span))
}

func larger(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) < 0 {
		return b
	}
	return a
}

// sixDecimals returns r, which lies between 0 and 1, rounded half up.
func sixDecimals(r *big.Rat) canon.Decimal {
	d, err := canon.ImportDecimal(r.FloatString(6))
	if err != nil {
		panic("cards: " + err.Error()) // not between 0 and 1
	}
	return d
}
