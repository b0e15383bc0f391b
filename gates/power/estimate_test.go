package power

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/relseal/relseal/gates"
)

// Scores 1 2 3 4: mean 2.5, s² = 5/3, ρ = (0.75 + -0.25 + 0.75)/5 = 0.25.
func TestEstimate(t *testing.T) {
	row := func(scores ...gates.Value) []gates.Window {
		ws := make([]gates.Window, len(scores))
		for i, score := range scores {
			start := int64(i) * 60_000
			ws[i] = gates.Window{Schema: gates.WindowSchema, ID: fmt.Sprint(i), Channel: gates.Canary, StartMS: start, EndMS: start + 60_000, Score: score}
		}
		return ws
	}
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }
	shuffled := row("1", "2", "3.0", "4e0")
	shuffled[0], shuffled[3] = shuffled[3], shuffled[0]
	gap := row("1", "2", "3", "4")
	gap[3].StartMS++
	other := row("1", "2", "3", "4")
	other[3].Release = "sha256:other"
	for name, tt := range map[string]struct {
		ws      []gates.Window
		unknown int
		rho     float64
	}{
		"in order":      {row("1", "2", "3", "4"), 0, 0.25},
		"in any order":  {shuffled, 0, 0.25},
		"twice":         {append(shuffled, shuffled...), 0, 0.25},
		"a gap":         {gap, 0, 0.1},
		"other release": {other, 0, 0.1},
		"a hole":        {row("1", "2", "NaN", "3", "", "4"), 2, 0.15},
		"alternating":   {row("1", "4", "2", "3"), 0, 0},
	} {
		got, err := Estimate(tt.ws, 0)
		if err != nil || got.Windows != 4 || got.Unknown != tt.unknown || !near(got.Mean, 2.5) || !near(got.S2, 5./3) || !near(got.Rho, tt.rho) {
			t.Errorf("%s: %+v, %v, want rho %v", name, got, err, tt.rho)
		}
	}
	if got, err := Estimate(gap, 1); err != nil || !near(got.Rho, 0.25) {
		t.Errorf("a gap that is allowed: %+v, %v", got, err)
	}
	if got, err := Estimate(row("0.97", "0.97"), 0); err != nil || got.S2 != 0 || got.Rho != 0 {
		t.Errorf("no variance: %+v, %v", got, err)
	}
	for _, ws := range [][]gates.Window{nil, row("1"), row("1", "NaN", "")} {
		if _, err := Estimate(ws, 0); !errors.Is(err, ErrSampleSize) {
			t.Errorf("%d windows: %v", len(ws), err)
		}
	}
}
