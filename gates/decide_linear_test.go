package gates

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// BenchmarkDecideLinear decides 10^3, 10^4 and 10^5 windows in turn, so that a busy
// machine slows all three, and reports what a window costs among the many in
// multiples of what it costs among the few, by the medians: 1 is linear.
//
//	go test ./gates -run '^$' -bench DecideLinear
func BenchmarkDecideLinear(b *testing.B) {
	sizes := []int{1_000, 10_000, 100_000}
	inputs := make([]Input, len(sizes))
	policies := make([]Policy, len(sizes))
	for i, n := range sizes {
		policies[i] = testPolicy()
		policies[i].TObsMS = int64(n) * 60_000
		ws := goodRow(Canary, n)
		rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, k int) { ws[i], ws[k] = ws[k], ws[i] })
		inputs[i] = Input{Channel: Canary, NowMS: policies[i].TObsMS, Windows: ws}
	}
	perWindow := make([][]float64, len(sizes))
	for b.Loop() {
		for i, n := range sizes {
			rounds := sizes[len(sizes)-1] / n // as much work for each size
			start := time.Now()
			for range rounds {
				if d, err := Decide(policies[i], inputs[i]); err != nil || d.Decision != Promote {
					b.Fatal(d.Decision, err)
				}
			}
			perWindow[i] = append(perWindow[i], float64(time.Since(start).Nanoseconds())/float64(rounds*n))
		}
	}
	median := func(xs []float64) float64 {
		slices.Sort(xs)
		return xs[len(xs)/2]
	}
	few := median(perWindow[0])
	b.ReportMetric(few, "ns/window-of-1e3")
	b.ReportMetric(median(perWindow[1])/few, "x-at-1e4")
	b.ReportMetric(median(perWindow[2])/few, "x-at-1e5")
}
