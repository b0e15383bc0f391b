// Package power computes before a release is measured how many windows it takes to tell
// a good release from a bad one, so that W_min of a policy is no guess.
//
// [Estimate] takes from windows of earlier releases how much their score varies.
// [MinWindowsAlpha] turns that into a number of windows for the two errors that the
// caller accepts: a bad release that passes (alpha) and a good one that is held up
// (beta). [MinWindows] is the specification's formula, which bounds the second alone.
//
// Unlike a decision these are statistics: binary64 and not exact decimals.
// docs/gates.md, "Which thresholds to choose", says what to put in.
package power

import (
	"errors"
	"fmt"
	"math"

	"github.com/relseal/relseal/internal/limits"
)

// ErrSampleSize is in the error of a power calculation whose inputs have no answer.
var ErrSampleSize = errors.New("E_SAMPLE_SIZE")

// A SampleSize is how many windows a decision needs.
type SampleSize struct {
	W int64   `json:"W"`
	Z float64 `json:"z"` // the quantile, or the sum of two
}

// MinWindows is the specification's W = max(floor, ceil(z²·s²/margin²)) with
// z = max(0, Φ⁻¹(1-β)). s2 is the variance of the score over earlier
// windows, registered in advance and not of the run that is judged; margin is how
// far a good release is above tau_score; beta is how often it may fail to show it.
//
// This W is the least for which P(mean < tau) ≤ β when the true mean is
// tau + margin. It does nothing against a bad release: one exactly at tau_score
// passes half the time. See MinWindowsAlpha.
func MinWindows(s2, margin, beta float64, floor int64) (SampleSize, error) {
	if err := checkSample(s2, margin, beta); err != nil {
		return SampleSize{}, err
	}
	z := quantile(beta)
	return windowsFor(z, z*z*s2/(margin*margin), floor)
}

// MinWindowsAlpha also bounds by alpha how often a release exactly at tau_score
// passes, and accounts for windows that resemble the ones before: rho is the
// autocorrelation of scores at lag 1.
//
//	W = ceil((z_{1-α} + z_{1-β})²·s²·(1+ρ)/(1-ρ)/margin²)
func MinWindowsAlpha(s2, margin, alpha, beta, rho float64, floor int64) (SampleSize, error) {
	if err := checkSample(s2, margin, beta); err != nil {
		return SampleSize{}, err
	}
	if !(0 < alpha && alpha < 1) {
		return SampleSize{}, fmt.Errorf("%w: alpha is %v; it must be between 0 and 1", ErrSampleSize, alpha)
	}
	if !(-1 < rho && rho < 1) {
		return SampleSize{}, fmt.Errorf("%w: rho is %v; it must be between -1 and 1", ErrSampleSize, rho)
	}
	z := quantile(alpha) + quantile(beta)
	return windowsFor(z, z*z*s2*(1+rho)/(1-rho)/(margin*margin), floor)
}

// checkSample compares so that NaN is refused.
func checkSample(s2, margin, beta float64) error {
	switch {
	case !(margin > 0) || math.IsInf(margin, 0):
		return fmt.Errorf("%w: margin is %v; it must be above 0", ErrSampleSize, margin)
	case !(s2 >= 0) || math.IsInf(s2, 0):
		return fmt.Errorf("%w: s2 is %v; a variance is at least 0", ErrSampleSize, s2)
	case !(0 < beta && beta < 1):
		return fmt.Errorf("%w: beta is %v; it must be between 0 and 1", ErrSampleSize, beta)
	}
	return nil
}

// windowsFor rounds x up. What is a whole number up to the noise of binary64 is
// that number: 0.0025000000000000005 as s² does not cost another window.
func windowsFor(z, x float64, floor int64) (SampleSize, error) {
	if !(x <= limits.JSONInt) {
		return SampleSize{}, fmt.Errorf("%w: no number of windows is enough for this margin", ErrSampleSize)
	}
	w := math.Round(x)
	if math.Abs(x-w) > 1e-9*max(1, x) {
		w = math.Ceil(x)
	}
	return SampleSize{W: max(1, floor, int64(w)), Z: z}, nil
}

// quantile returns max(0, Φ⁻¹(1-p)). math.Erfcinv takes its argument from 1 and
// so loses a small one; Newton's steps on ln Φ(-z) = ln p make up for it.
func quantile(p float64) float64 {
	z := math.Sqrt2 * math.Erfcinv(2*p)
	if p < 1e-10 {
		z = math.Sqrt(-2 * math.Log(p))
	}
	if z <= 0 {
		return 0
	}
	for range 5 {
		tail := math.Erfc(z/math.Sqrt2) / 2
		if tail == 0 { // below the smallest binary64
			break
		}
		density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
		z += (math.Log(tail) - math.Log(p)) * tail / density
	}
	return z
}
