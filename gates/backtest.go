package gates

import (
	"cmp"
	"context"
	"slices"
)

// A Point is what would have been decided when a window ended.
type Point struct {
	NowMS    int64    `json:"now_ms"`
	Window   string   `json:"window"` // id of the window that ended then
	Decision Outcome  `json:"decision"`
	Reasons  []string `json:"reasons"`
	Alerts   []string `json:"alerts"`
}

// Backtest decides at the end of each window, over the windows that had ended by
// then: what Decide would have said, had it been asked at that instant. NowMS of the
// input is not used.
//
// It ends at the first ROLLBACK, which stays one whatever follows, and goes on
// after a PROMOTE: what came later, on a channel that the release would have left,
// is how a threshold that promotes too early shows. The error is that of Check
// or of Decide.
//
// The time that it takes grows with the number of windows, times the number that
// evidence needs; where windows contradict one another, with its square.
func Backtest(p Policy, in Input) ([]Point, error) {
	return BacktestContext(context.Background(), p, in)
}

// BacktestContext is Backtest that ends with the cause of ctx once that is done.
func BacktestContext(ctx context.Context, p Policy, in Input) ([]Point, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	all := &judge{rules: &gate1, p: p, in: in}
	all.in.NowMS = maxMS
	if err := all.check(); err != nil {
		return nil, err
	}
	all.start()
	all.choose()
	ended := slices.Clone(all.windows)
	slices.SortStableFunc(ended, func(a, b *Window) int { return cmp.Compare(a.EndMS, b.EndMS) })

	points := []Point{}
	enough := all.reach(ended, all.integrity())
	for i, w := range ended {
		if i+1 < len(ended) && ended[i+1].EndMS == w.EndMS {
			continue
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		d := all.at(ended[enough(i):i+1], w.EndMS)
		points = append(points, Point{w.EndMS, w.ID, d.Decision, d.Reasons, d.Alerts})
		if d.Decision == Rollback {
			break
		}
	}
	return points, nil
}

// reach returns from where on windows bear on the decision at the end of window
// i, if none before it decided for a rollback. Where windows contradict one another,
// all do. Otherwise those that evidence can need, and those that make a blackout.
func (j *judge) reach(ws []*Window, contradictory bool) func(i int) int {
	if contradictory {
		return func(int) int { return 0 }
	}
	need := max(j.p.WMin, j.p.NLTS, j.p.MaxUndecidable+1)
	first, covered := 0, int64(0) // by windows from first to i
	return func(i int) int {
		covered += ws[i].length()
		for first < i {
			rest := covered - ws[first].length()
			if int64(i-first) < need || rest < j.p.TObsMS {
				break
			}
			first, covered = first+1, rest
		}
		return first
	}
}

// at decides over windows that were chosen before.
func (j *judge) at(ws []*Window, nowMS int64) Decision {
	one := &judge{rules: j.rules, p: j.p, in: j.in, windows: slices.Clone(ws)}
	one.in.NowMS = nowMS
	one.start()
	slices.SortFunc(one.windows, compareWindows)
	one.conflicting()
	one.run()
	return one.d
}
