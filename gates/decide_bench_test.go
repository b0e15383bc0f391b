package gates

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkDecide shows that the time a window takes does not grow with their
// number: a rollback, where the first of them triggers, and a promotion
// that rests on all of them. Arrival is shuffled.
func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		for _, score := range []string{"0.97", "0.94"} {
			p := testPolicy()
			p.TObsMS = int64(n) * 60_000
			in := Input{Channel: Canary, NowMS: p.TObsMS, Windows: goodRow(Canary, n)}
			in.Windows[0].Score = Value(score)
			rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, k int) { in.Windows[i], in.Windows[k] = in.Windows[k], in.Windows[i] })
			b.Run(fmt.Sprintf("%d/first-%s", n, score), func(b *testing.B) {
				for b.Loop() {
					d, err := Decide(p, in)
					if err != nil || d.Decision != map[string]Outcome{"0.97": Promote, "0.94": Rollback}[score] {
						b.Fatal(d.Decision, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/window")
			})
		}
	}
}

// Work grows with the number of windows and no faster: what a window costs is the
// same eight times on. Allocations stand for it, since they do not depend on the machine.
func TestDecideIsLinear(t *testing.T) {
	allocs := func(n int, spoil func(*Window)) float64 {
		p := testPolicy()
		p.TObsMS, p.MaxUndecidable = int64(n)*60_000, int64(n)
		in := Input{Channel: Canary, NowMS: p.TObsMS, Windows: goodRow(Canary, n)}
		for i := range in.Windows {
			spoil(&in.Windows[i])
		}
		return testing.AllocsPerRun(3, func() { mustDecide(t, p, in) }) / float64(n)
	}
	for name, spoil := range map[string]func(*Window){
		"good":      func(*Window) {},
		"triggers":  func(w *Window) { w.Score = "0" },
		"unknown":   func(w *Window) { w.RTB = "NaN" },
		"overlap":   func(w *Window) { w.StartMS = 0 },
		"conflicts": func(w *Window) { w.ID = "w" },
		"invalid":   func(w *Window) { w.EndMS = w.StartMS },
	} {
		if few, many := allocs(200, spoil), allocs(1600, spoil); many > 1.25*few {
			t.Errorf("%s: %.0f allocations a window of 200, %.0f of 1600", name, few, many)
		}
	}
}
