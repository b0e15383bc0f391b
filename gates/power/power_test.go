package power

import (
	"errors"
	"math"
	"testing"
)

// Both formulas over usual deviations, margins and betas.
func TestMinWindows(t *testing.T) {
	betas := [4]float64{.2, .1, .05, .01}
	for _, tt := range []struct {
		s, m  float64
		plain [4]int64
		alpha [4]int64
	}{
		{.01, .005, [4]int64{3, 7, 11, 22}, [4]int64{25, 35, 44, 64}},
		{.01, .01, [4]int64{1, 2, 3, 6}, [4]int64{7, 9, 11, 16}},
		{.02, .01, [4]int64{3, 7, 11, 22}, [4]int64{25, 35, 44, 64}},
		{.02, .005, [4]int64{12, 27, 44, 87}, [4]int64{99, 138, 174, 253}},
		{.05, .02, [4]int64{5, 11, 17, 34}, [4]int64{39, 54, 68, 99}},
		{.05, .01, [4]int64{18, 42, 68, 136}, [4]int64{155, 215, 271, 395}},
		{.05, .005, [4]int64{71, 165, 271, 542}, [4]int64{619, 857, 1083, 1578}},
		{.1, .01, [4]int64{71, 165, 271, 542}, [4]int64{619, 857, 1083, 1578}},
	} {
		for i, beta := range betas {
			got, err := MinWindows(tt.s*tt.s, tt.m, beta, 0)
			if err != nil || got.W != tt.plain[i] {
				t.Errorf("s=%v m=%v beta=%v: %+v, %v, want %d", tt.s, tt.m, beta, got, err, tt.plain[i])
			}
			got, err = MinWindowsAlpha(tt.s*tt.s, tt.m, .05, beta, 0, 0)
			if err != nil || got.W != tt.alpha[i] {
				t.Errorf("s=%v m=%v beta=%v alpha=.05: %+v, %v, want %d", tt.s, tt.m, beta, got, err, tt.alpha[i])
			}
		}
	}
}

// W is what it says: with W windows the miss rate is at most beta, with one fewer it is above.
func TestMinWindowsIsLeast(t *testing.T) {
	miss := func(w int64, s, m float64) float64 { return math.Erfc(m*math.Sqrt(float64(w))/s/math.Sqrt2) / 2 }
	for _, beta := range []float64{.4, .1, 1e-3, 1e-9, 1e-15, 1e-100, 1e-300} {
		for _, s := range []float64{.013, .1, 2} {
			got, err := MinWindows(s*s, .01, beta, 0)
			if err != nil || miss(got.W, s, .01) > beta*(1+1e-6) || got.W > 1 && miss(got.W-1, s, .01) < beta*(1-1e-6) {
				t.Errorf("beta=%v s=%v: %+v, %v", beta, s, got, err)
			}
		}
	}
}

// What is whole up to the noise of binary64 is whole: z² s²/m² = 4 exactly.
func TestMinWindowsNoise(t *testing.T) {
	z := quantile(.1)
	for _, tt := range []struct {
		x    float64
		want int64
	}{{4, 4}, {4 * (1 + 9e-10), 4}, {4 * (1 - 9e-10), 4}, {4 * (1 + 2e-9), 5}, {1e6 + 5e-4, 1_000_000}, {1e6 + 2e-3, 1_000_001}, {1e-10, 1}, {0, 1}} {
		if got, err := MinWindows(tt.x/(z*z), 1, .1, 0); err != nil || got.W != tt.want {
			t.Errorf("x=%v: %+v, %v, want %d", tt.x, got, err, tt.want)
		}
	}
	if got, err := MinWindows(1, 1, 5e-324, 0); err != nil || got.W < 1400 || got.W > 1500 {
		t.Errorf("the smallest beta: %+v, %v", got, err)
	}
}

func TestMinWindowsRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, in := range [][5]float64{ // s2, margin, alpha, beta, rho
		{1, 0, .05, .1, 0}, {1, nan, .05, .1, 0}, {1, inf, .05, .1, 0}, {nan, 1, .05, .1, 0}, {inf, 1, .05, .1, 0}, {-1e-300, 1, .05, .1, 0}, {1, 1, .05, nan, 0},
		{1, 1, .05, 0, 0}, {1, 1, .05, 1, 0}, {1, 1, nan, .1, 0}, {1, 1, 0, .1, 0}, {1, 1, .05, .1, nan}, {1, 1, .05, .1, 1}, {1, 1, .05, .1, -1}, {1e300, 1e-300, .05, .1, 0}, {1e16, 1, .05, .1, 0},
	} {
		if got, err := MinWindowsAlpha(in[0], in[1], in[2], in[3], in[4], 0); !errors.Is(err, ErrSampleSize) {
			t.Errorf("%v: %+v, %v", in, got, err)
		}
	}
}
