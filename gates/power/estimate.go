package power

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/relseal/relseal/gates"
)

// A Spread is how the score of earlier windows varied.
type Spread struct {
	Windows int     // with a score
	Unknown int     // without one, left out
	Mean    float64 // of the scores
	S2      float64 // their variance, with n-1
	Rho     float64 // their autocorrelation at lag 1; 0 where the estimate is below
}

// Estimate estimates what [MinWindowsAlpha] needs from earlier windows of one
// channel. It must not be asked about the windows that the decision is about: a
// variance that comes out low by chance would then shorten the very run that
// shows it.
//
//	s² = Σ(x_i - x̄)²/(n-1)      ρ = Σ(x_i - x̄)(x_{i+1} - x̄)/Σ(x_i - x̄)²
//
// The products are of neighbours alone: a window without a score, a gap of more than
// gapMS or another release comes between. A negative ρ counts as 0, which asks for
// more windows and not for fewer.
func Estimate(ws []gates.Window, gapMS int64) (Spread, error) {
	var s Spread
	var scores []float64
	var before *gates.Window // with the last score
	neighbour := []bool{}
	for _, w := range gates.Ordered(slices.Values(ws), math.MinInt64) {
		d, ok := w.Score.Decimal()
		if !ok {
			s.Unknown++
			before = nil
			continue
		}
		x, err := strconv.ParseFloat(string(d), 64)
		if err != nil {
			return Spread{}, err
		}
		neighbour = append(neighbour, before != nil && before.Release == w.Release && w.StartMS-before.EndMS <= gapMS)
		scores, before = append(scores, x), &w
		s.Mean += x
	}
	s.Windows = len(scores)
	if s.Windows < 2 {
		return s, fmt.Errorf("%w: %d windows with a score; a variance takes 2 at least", ErrSampleSize, s.Windows)
	}
	s.Mean /= float64(s.Windows)
	squares, products := 0., 0.
	for i, x := range scores {
		squares += (x - s.Mean) * (x - s.Mean)
		if neighbour[i] {
			products += (x - s.Mean) * (scores[i-1] - s.Mean)
		}
	}
	s.S2 = squares / float64(s.Windows-1)
	if squares > 0 {
		s.Rho = max(0, products/squares)
	}
	return s, nil
}
