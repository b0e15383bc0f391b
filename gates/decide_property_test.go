package gates

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A scene is a random policy with random windows, most of them good, so that
// every outcome is frequent.
type scene struct {
	*rand.Rand
	p  Policy
	in Input
}

const thisRelease, otherRelease = "sha256:this", "sha256:other"

func (s *scene) one(in int) bool { return s.IntN(in) == 0 }

func pick[T any](s *scene, items ...T) T { return items[s.IntN(len(items))] }

func newScene(seed uint64) *scene {
	s := &scene{Rand: rand.New(rand.NewPCG(seed, 7)), p: testPolicy()}
	s.p.TObsMS, s.p.WMin, s.p.NLTS = pick[int64](s, 60_000, 120_000, 180_000), pick[int64](s, 1, 2, 3), pick[int64](s, 1, 2, 3)
	s.p.MaxUndecidable, s.p.GapMaxMS = pick[int64](s, 0, 1, 2), pick[int64](s, 0, 0, 1, 999)
	if s.one(4) {
		s.p.TObsMaxMS = s.p.TObsMS + int64(s.IntN(300_000))
	}
	s.in = Input{Channel: pick(s, Canary, Canary, Stable, Stable, LTS), Release: thisRelease}
	at := int64(s.IntN(3)) * 1000
	for i := range s.IntN(9) {
		w := goodRow(s.in.Channel, 1)[0]
		w.ID, w.Release, w.StartMS = fmt.Sprintf("w%d", i+1), thisRelease, at
		w.EndMS = at + pick[int64](s, 30_000, 60_000, 60_000, 60_000, 90_000)
		if s.one(4) {
			s.spoil(&w)
		}
		s.in.Windows = append(s.in.Windows, w)
		at = w.EndMS
		if s.one(12) {
			at += pick[int64](s, 1, 999, 1000, -1)
		}
	}
	s.in.NowMS = at + pick[int64](s, 0, 0, 1, 60_000)
	return s
}

// spoil changes one value: at its limit, beyond it, or unknown; rarely a trigger.
func (s *scene) spoil(w *Window) {
	switch m := pick(s, metrics...); {
	case s.one(3):
		*m.of(w) = pick(s, Value(""), "NaN", "+Inf", "fast", "1e-99")
	case m == metricScore:
		w.Score = pick(s, Value("0.95"), "0.95", "0.950", "0.94999999999999999999")
	case m == metricHBLag:
		w.HBLag = pick(s, Value("5"), "5", "5.0", "5.001")
	case m == metricDropRate:
		w.DropRate = pick(s, Value("0.01"), "1e-2", "0.01", "0.02")
	default:
		*m.of(w) = pick(s, Value("-1"), "0.0001", "1", "0.03", "0.2")
	}
}

// scenes runs f over many scenes and fails if too few of them were of use.
func scenes(t *testing.T, f func(t *testing.T, s *scene, d Decision) (used bool)) {
	t.Helper()
	const runs = 1500
	used, outcomes := 0, map[Outcome]int{}
	for seed := range uint64(runs) {
		s := newScene(seed)
		d := mustDecide(t, s.p, s.in)
		outcomes[d.Decision]++
		if f(t, s, d) {
			used++
		}
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, d.Explain())
		}
	}
	t.Logf("%d of %d scenes used, %v", used, runs, outcomes)
	if used < runs/20 {
		t.Errorf("only %d scenes said something", used)
	}
}

// with returns the input with other windows.
func (s *scene) with(ws []Window) Input {
	in := s.in
	in.Windows = ws
	return in
}

// Order of arrival and byte-identical redelivery never matter, not even to a byte.
func TestOrderAndRedelivery(t *testing.T) {
	scenes(t, func(t *testing.T, s *scene, d Decision) bool {
		ws := slices.Clone(s.in.Windows)
		if len(ws) > 0 && s.one(3) { // a contradiction is one in any order
			w := pick(s, ws...)
			s.spoil(&w)
			ws = append(ws, w)
			d = mustDecide(t, s.p, s.with(ws))
		}
		for range s.IntN(4) {
			if len(ws) > 0 {
				ws = append(ws, pick(s, ws...))
			}
		}
		s.Shuffle(len(ws), func(i, k int) { ws[i], ws[k] = ws[k], ws[i] })
		if got, want := mustMarshal(t, mustDecide(t, s.p, s.with(ws))), mustMarshal(t, d); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		return len(ws) > 1
	})
}

// Windows of another channel or release, or from before since, never matter.
func TestForeignWindows(t *testing.T) {
	scenes(t, func(t *testing.T, s *scene, _ Decision) bool {
		s.in.SinceMS = 1
		d := mustDecide(t, s.p, s.in)
		ws := slices.Clone(s.in.Windows)
		for i := range 1 + s.IntN(5) {
			w := goodRow(s.in.Channel, 1)[0]
			w.ID, w.Release, w.StartMS, w.EndMS = fmt.Sprintf("w%d", i), thisRelease, int64(1+s.IntN(300_000)), int64(s.IntN(600_000))
			w.Score = pick(s, Value("0"), "", "NaN", "1")
			switch s.IntN(4) {
			case 0:
				w.Channel = Channels[(slices.Index(Channels, s.in.Channel)+1+s.IntN(2))%3]
			case 1:
				w.Release = pick(s, otherRelease, "")
			case 2:
				w.StartMS = 0
			default:
				w.Channel, w.Release, w.Schema, w.ID = "nowhere", otherRelease, "", "" // not even one that could be recorded
			}
			ws = slices.Insert(ws, s.IntN(len(ws)+1), w)
		}
		if got, want := mustMarshal(t, mustDecide(t, s.p, s.with(ws))), mustMarshal(t, d); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		return d.Observed.Count > 0
	})
}

// A trigger is a rollback whatever else there is: in particular it never turns
// ROLLBACK into anything else.
func TestTriggerDominates(t *testing.T) {
	scenes(t, func(t *testing.T, s *scene, d Decision) bool {
		w := goodRow(s.in.Channel, 1)[0]
		w.ID, w.Release = pick(s, "w1", "new"), thisRelease
		w.StartMS = int64(s.IntN(700_000))
		w.EndMS = pick(s, w.StartMS+60_000, w.StartMS, 0)
		switch s.IntN(4) {
		case 0:
			w.Score = "0.9499"
		case 1:
			w.HBLag = "5.1"
		case 2:
			w.DropRate = "1"
		default:
			w.HBLag, w.LastBeatMS, w.EndMS = pick(s, Value(""), "NaN"), Some(w.StartMS), w.StartMS+5001
		}
		if s.one(3) {
			w.DeltaRep, w.RTB = "", "NaN"
		}
		after := mustDecide(t, s.p, s.with(append(slices.Clone(s.in.Windows), w)))
		if after.Decision != Rollback || !strings.HasPrefix(after.Reasons[0], "TRIGGER:") {
			t.Errorf("with %+v: %s", w, after.Explain())
		}
		return d.Decision == Rollback
	})
}

// Nothing that is added makes anything else of a rollback, but a window in which
// everything is known, of a time that no other window is about: it ends a blackout.
func TestRollbackStays(t *testing.T) {
	kept := map[string]int{}
	scenes(t, func(t *testing.T, s *scene, _ Decision) bool {
		s.p.MaxUndecidable = pick[int64](s, 0, 1, 2)
		for i := range s.in.Windows {
			if s.one(2) {
				s.in.Windows[i].Score = "" // most rollbacks are blackouts
			}
		}
		d := mustDecide(t, s.p, s.in)
		if d.Decision != Rollback {
			return false
		}
		w := pick(s, s.in.Windows...)
		if s.one(2) {
			w = goodRow(s.in.Channel, 1)[0]
			w.Release = thisRelease
		}
		near := pick(s, s.in.Windows...)
		w.ID = pick(s, "new", "new", near.ID)
		w.StartMS = pick(s, near.StartMS, near.EndMS, near.StartMS+1, int64(s.IntN(700_000)))
		w.EndMS = pick(s, w.StartMS, w.StartMS, w.StartMS+1, near.EndMS, w.StartMS+60_000, 10_000_000)
		if w.EndMS > w.StartMS && w.EndMS <= s.in.NowMS+s.p.SkewMaxMS && !slices.ContainsFunc(s.in.Windows, func(o Window) bool {
			return w.StartMS < o.EndMS && o.StartMS < w.EndMS
		}) {
			return false
		}
		after := mustDecide(t, s.p, s.with(append(slices.Clone(s.in.Windows), w)))
		if after.Decision != Rollback {
			t.Errorf("with %+v: %s\nwithout: %s", w, after.Explain(), d.Explain())
		}
		kept[after.Reasons[0]]++
		return true
	})
	if kept["METRIC_BLACKOUT"] < 100 {
		t.Errorf("only %v", kept)
	}
}

// Without some of its windows or values, a HOLD is not a PROMOTE. One thing shows
// from outside only: that the last windows are missing. What the decision saw then
// ends earlier, and it says so; a ledger compares that with stale_max and seq.
func TestRemovingEvidence(t *testing.T) {
	scenes(t, func(t *testing.T, s *scene, d Decision) bool {
		if d.Decision != Hold || d.Observed.Count == 0 {
			return false
		}
		ws := slices.DeleteFunc(slices.Clone(s.in.Windows), func(Window) bool { return s.one(4) })
		for i := range ws {
			for _, m := range metrics {
				if s.one(30) {
					*m.of(&ws[i]) = pick(s, Value(""), "NaN")
				}
			}
		}
		after := mustDecide(t, s.p, s.with(ws))
		if after.Decision == Promote && after.Observed.EndMS == d.Observed.EndMS {
			t.Errorf("without evidence: %s", after.Explain())
		}
		return true
	})
}
