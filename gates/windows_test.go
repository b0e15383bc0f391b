package gates

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

func packed(release, channel string, list []Window) *Windows {
	ws := newWindows(release, channel)
	for i := range list {
		ws.add(int64(i)+1, &list[i])
	}
	return &ws
}

// Over packed windows the rules decide to the same bytes as over all of them at once.
func TestDecideManyIsDecide(t *testing.T) {
	outcomes := map[string]int{}
	for seed := range uint64(6000) {
		s := newScene(seed)
		if s.one(3) { // out of order, late, twice, under one id, overlapping, in the future
			for range s.IntN(4) {
				if n := len(s.in.Windows); n > 0 {
					w := s.in.Windows[s.IntN(n)]
					switch s.IntN(6) {
					case 0:
						w.ID = s.in.Windows[s.IntN(n)].ID
						w.Score = "0.96"
					case 1:
						w.StartMS -= 500
					case 2:
						w.EndMS = w.StartMS - int64(s.IntN(2))
					case 3:
						w.EndMS += 10_000_000
					}
					s.in.Windows = slices.Insert(s.in.Windows, s.IntN(n+1), w)
				}
			}
			s.Shuffle(len(s.in.Windows), func(i, j int) {
				s.in.Windows[i], s.in.Windows[j] = s.in.Windows[j], s.in.Windows[i]
			})
		}
		if s.one(2) {
			s.in.SinceMS = int64(s.IntN(200)) * 1000
		}
		if s.one(8) {
			s.p.NLTS = 1 + int64(s.IntN(2))
		}
		for i := range s.in.Windows {
			s.in.Windows[i].StartMS = max(s.in.Windows[i].StartMS, 0)
			s.in.Windows[i].EndMS = max(s.in.Windows[i].EndMS, 0)
		}
		want := mustDecide(t, s.p, s.in)
		in := s.in
		in.Windows = nil
		got, more, _, err := decideMany(s.p, in, packed(in.Release, in.Channel, s.in.Windows))
		if err != nil || more || mustMarshal(t, got) != mustMarshal(t, want) {
			t.Fatalf("seed %d: %v, %v\n%s\n%s", seed, more, err, mustMarshal(t, got), mustMarshal(t, want))
		}
		kind := string(want.Decision)
		if len(want.Reasons) > 0 {
			kind, _, _ = cut(want.Reasons[0])
		}
		outcomes[kind]++
	}
	t.Log(outcomes)
	for _, kind := range []string{"PROMOTE", "COVERAGE", "STREAK", "TRIGGER", "METRIC_BLACKOUT", "METRIC_MISSING", "E_WINDOW_INVALID", "E_TIMEBASE_SKEW", "E_WINDOW_OVERLAP", "E_WINDOW_CONFLICT"} {
		if outcomes[kind] < 10 {
			t.Errorf("only %d decisions say %s", outcomes[kind], kind)
		}
	}
}

func cut(reason string) (code, rest string, ok bool) {
	for i, c := range reason {
		if c == ':' {
			return reason[:i], reason[i+1:], true
		}
	}
	return reason, "", false
}

func TestPackedWindows(t *testing.T) {
	full := ledgerWindow(sign.Sum([]byte("x")), Canary, 7, 1_767_348_000_000).Window
	full.N, full.K, full.LastBeatMS, full.PSDKind, full.TBKind, full.TBUnit, full.Evidence = Some(100), Some(0), Some(0), "rel_l1", "rms", "ns", sign.Sum(nil)
	full.Score, full.RTB = "9.7e-1", "fast"
	less := ledgerWindow(sign.Sum([]byte("x")), Canary, 8, 0).Window
	less.EndMS, less.ID, less.Score, less.DeltaPSD = 0, "0123456789", "", Value(bytes.Repeat([]byte("7"), limits.JSONString))
	text := full
	text.ID, text.HBLag = "a\"b", "ü\\\n"
	list := []Window{full, less, text}
	ws := packed(full.Release, Canary, list)
	for i, w := range list {
		if got := ws.At(i); got.Window != w || got.K != int64(i)+1 {
			t.Errorf("%d: got %+v\nwant %+v", i, got.Window, w)
		}
		want, err := canon.Marshal(w)
		if got, plain := appendWindow(nil, &w); err != nil || plain != (i < 2) || plain && !bytes.Equal(got, want) {
			t.Errorf("%d: %v, got  %s\nwant %s", i, plain, got, want)
		}
	}
	if ws.Start(1) != 0 || !ws.Room(limits.Windows-3, 0) || ws.Room(limits.Windows-2, 0) || ws.Room(1, limits.WindowText) {
		t.Error("there is more or less room than the limits say")
	}
}

// What the quick way reads is what the general one reads, and both refuse the same.
func FuzzScanWindow(f *testing.F) {
	w := ledgerWindow(sign.Sum([]byte("x")), Canary, 7, 3000).Window
	w.N, w.K, w.TBUnit, w.Evidence = Some(9), Some(1), "s", sign.Sum(nil)
	data, _ := canon.Marshal(w)
	f.Add(data)
	draw := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		c := bytes.Clone(data)
		switch i, j := draw.IntN(len(c)), draw.IntN(len(c)); draw.IntN(3) {
		case 0:
			c[i] = `"\{}[]:,0123456789-+.e nult`[draw.IntN(26)]
		case 1:
			c = slices.Delete(c, min(i, j), min(max(i, j), min(i, j)+6))
		default:
			c = slices.Insert(c, i, data[j:min(len(data), j+20)]...)
		}
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, plain := scanWindow(data)
		if !plain {
			return
		}
		var again Window
		if err := canon.Unmarshal(data, &again); err != nil || again != w {
			t.Fatalf("%s\nread as %+v\nis %+v, %v", data, w, again, err)
		}
		if back, ok := appendWindow(nil, &w); !ok || !bytes.Equal(back, data) {
			t.Fatalf("%s\nwritten as %s", data, back)
		}
	})
}

// The work of a ledger grows with its events, whatever they are: four times as many
// are four times the work, and the logarithm that putting windows in order takes.
func TestLedgerWork(t *testing.T) {
	p := ledgerPolicy()
	p.SkewMaxMS = maxMS / 4
	data, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	policy := sign.Sum(data)
	id := func(i int) sign.Digest { return sign.Sum(fmt.Append(nil, i)) }
	type teller func(l *told, n int)
	back := func(l *told, i int) {
		l.add(ActionRollback, RolledBack{Release: id(i), Channel: Canary, TriggerEndMS: 1})
	}
	for name, tell := range map[string]teller{
		"rollbacks, the newest first": func(l *told, n int) {
			for i := range n {
				l.good(ActionSealed, Sealed{id(i), Canary, "1.0.0", &policy, nil})
			}
			for i := range n {
				back(l, n-1-i)
			}
		},
		"rollbacks of stable bundles, the oldest first": func(l *told, n int) {
			for i := range n {
				l.add(ActionSealed, Sealed{id(i), Stable, "1.0.0", &policy, nil})
			}
			for i := range n {
				l.add(ActionRollback, RolledBack{Release: id(i), Channel: Stable, TriggerEndMS: 1})
			}
		},
		"rollbacks in turn with releases": func(l *told, n int) {
			for i := range n {
				l.good(ActionSealed, Sealed{id(i), Canary, "1.0.0", &policy, nil})
				if i%2 == 1 {
					back(l, i-1)
				}
			}
		},
		"windows backwards, then a promotion": func(l *told, n int) {
			l.good(ActionSealed, Sealed{id(0), Canary, "1.0.0", &policy, nil})
			for i := range n {
				l.good(ActionWindow, ledgerWindow(id(0), Canary, int64(i)+1, int64(3000+1000*(n-i))))
			}
			l.add(ActionPromote, Promoted{id(0), Canary, Stable, policy, nil})
		},
		"windows under one id that all overlap, rolled back": func(l *told, n int) {
			l.good(ActionSealed, Sealed{id(0), Canary, "1.0.0", &policy, nil})
			for i := range n {
				w := ledgerWindow(id(0), Canary, int64(i)+1, 3000)
				w.Window.ID = "w"
				l.good(ActionWindow, w)
			}
			l.add(ActionRollback, RolledBack{Release: id(0), Channel: Canary, Decision: &policy, TriggerEndMS: 1})
		},
		"promotions of many bundles that one promotion made": func(l *told, n int) {
			l.good(ActionSealed, Sealed{id(0), Canary, "1.0.0", &policy, nil})
			for i := range n {
				l.good(ActionWindow, ledgerWindow(id(0), Canary, int64(i)+1, int64(3000+1000*i)))
			}
			l.add(ActionPromote, Promoted{id(0), Canary, Stable, policy, nil})
			k := l.k
			for i := range n {
				l.add(ActionSealed, Sealed{id(i + 1), Stable, "1.0.0", &policy, &k})
				l.add(ActionPromote, Promoted{id(i + 1), Stable, LTS, policy, nil})
			}
		},
		"promotions and rollbacks of one release, again and again": func(l *told, n int) {
			l.good(ActionSealed, Sealed{id(0), Canary, "1.0.0", &policy, nil})
			for i := range n {
				l.good(ActionWindow, ledgerWindow(id(0), Canary, int64(i)+1, int64(3000+1000*i)))
				l.add(ActionPromote, Promoted{id(0), Canary, Stable, policy, nil})
				back(l, 0)
			}
		},
		"policies, then releases that name none": func(l *told, n int) {
			for range n {
				l.good(ActionRegister, Registered{policy, p})
			}
			for i := range n {
				l.good(ActionSealed, Sealed{id(i), Canary, "1.0.0", nil, nil})
				l.good(ActionWindow, ledgerWindow(id(i), Canary, 1, 1_000_000_000))
				back(l, i)
			}
		},
	} {
		work := func(n int) int64 {
			l := &told{t: t, Ledger: NewLedger()}
			l.good(ActionRegister, Registered{policy, p})
			tell(l, n)
			return l.Work() + int64(n)
		}
		const n = 500
		if one, four := work(n), work(4*n); four > 6*one {
			t.Errorf("%s: %d steps for %d, %d for %d", name, one, n, four, 4*n)
		}
	}
}
