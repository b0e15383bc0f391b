package gates

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Each point is what Decide says over the windows that had ended by then.
func TestBacktest(t *testing.T) {
	scenes(t, func(t *testing.T, s *scene, _ Decision) bool {
		return s.sameAsDecide(t, "scene") > 2
	})
}

// Long archives: the windows that a point looks at are those that it needs. Each
// policy needs many of them for another reason.
func TestBacktestLong(t *testing.T) {
	for name, need := range map[string]func(*Policy){
		"T_obs":           func(p *Policy) { p.TObsMS = 7 * 60_000 },
		"W_min":           func(p *Policy) { p.WMin = 7 },
		"N_LTS":           func(p *Policy) { p.NLTS = 7 },
		"max_undecidable": func(p *Policy) { p.MaxUndecidable = 7 },
	} {
		for _, channel := range Channels {
			s := &scene{Rand: rand.New(rand.NewPCG(9, 9)), p: testPolicy()}
			s.p.TObsMS, s.p.WMin, s.p.NLTS, s.p.MaxUndecidable = 60_000, 1, 1, 2
			need(&s.p)
			s.in = Input{Channel: channel, Windows: goodRow(channel, 200)}
			for i := range s.in.Windows {
				switch w := &s.in.Windows[i]; {
				case i%40 > 33 && i%2 == 0:
					w.RTB, w.IncidentRate, w.DeltaRep = "0.5", "1", "0.03"
				case i%40 == 20 || i%40 == 21 || i >= 180 && i < 190: // the last ones are a blackout
					w.Score = ""
				case i%40 == 10:
					w.StartMS++ // a gap
				}
			}
			s.sameAsDecide(t, name+" on "+channel)
		}
	}
	s := &scene{p: testPolicy(), in: Input{Channel: Canary, Windows: goodRow(Canary, 4)}}
	s.in.Windows[3].EndMS = s.in.Windows[2].EndMS // two ends at once: one point
	s.sameAsDecide(t, "ends at once")
	s.in.Windows = goodRow(Canary, 4)
	s.in.Windows[2].ID = "w1"
	s.sameAsDecide(t, "conflict")
	s.p.TauScore = "2"
	if _, err := Backtest(s.p, s.in); err == nil || !strings.Contains(err.Error(), "tau_score") {
		t.Errorf("a policy that is none: %v", err)
	}
}

// sameAsDecide holds each point to what Decide says over the windows that had
// ended by then, and returns how many there are.
func (s *scene) sameAsDecide(t *testing.T, name string) int {
	t.Helper()
	points, err := Backtest(s.p, s.in)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	ends := map[int64]bool{}
	for _, w := range s.in.Windows {
		ends[w.EndMS] = true
	}
	for _, end := range slices.Sorted(maps.Keys(ends)) {
		in := s.with(slices.DeleteFunc(slices.Clone(s.in.Windows), func(w Window) bool { return w.EndMS > end }))
		in.NowMS = end
		d := mustDecide(t, s.p, in)
		want = append(want, fmt.Sprint(end, d.Decision, d.Reasons, d.Alerts))
		if d.Decision == Rollback {
			break
		}
	}
	for _, p := range points {
		got = append(got, fmt.Sprint(p.NowMS, p.Decision, p.Reasons, p.Alerts))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", name, got, want)
	}
	return len(points)
}

// TestBacktestEnds ends a backtest with its context.
func TestBacktestEnds(t *testing.T) {
	s := &scene{p: testPolicy(), in: Input{Channel: Canary, Windows: goodRow(Canary, 4)}}
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if points, err := BacktestContext(ctx, s.p, s.in); points != nil || !errors.Is(err, why) {
		t.Errorf("%d points, %v", len(points), err)
	}
}
