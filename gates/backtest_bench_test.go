package gates

import (
	"fmt"
	"testing"
)

// BenchmarkBacktest shows that a point costs the same in a long archive: it looks at
// the windows that evidence needs, thirty here, and not at all before.
func BenchmarkBacktest(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		p := testPolicy()
		p.TObsMS = 30 * 60_000
		in := Input{Channel: Canary, Windows: goodRow(Canary, n)}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if points, err := Backtest(p, in); err != nil || len(points) != n {
					b.Fatal(len(points), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/point")
		})
	}
}
