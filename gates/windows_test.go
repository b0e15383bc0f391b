package gates

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

func packed(release, channel string, list []Window) *Windows {
	ws := NewWindows(release, channel)
	for i := range list {
		ws.Add(int64(i)+1, &list[i])
	}
	return ws
}

// recordedWindow is a window as a ledger records it.
func recordedWindow(seq, start int64) Window {
	w := goodRow(Canary, 1)[0]
	w.ID, w.Release, w.Seq, w.StartMS, w.EndMS = fmt.Sprint(Canary, seq), sign.Sum([]byte("x")).String(), seq, start, start+1000
	return w
}

// Over packed windows the rules decide to the same bytes as over all of them at once.
func TestDecideBoundedIsDecide(t *testing.T) {
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
		got, err := DecideBounded(s.p, in, packed(in.Release, in.Channel, s.in.Windows))
		if err != nil || got.Partial || mustMarshal(t, got.Decision) != mustMarshal(t, want) {
			t.Fatalf("seed %d: %v, %v\n%s\n%s", seed, got.Partial, err, mustMarshal(t, got.Decision), mustMarshal(t, want))
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
	full := recordedWindow(7, 1_767_348_000_000)
	full.N, full.K, full.LastBeatMS, full.PSDKind, full.TBKind, full.TBUnit, full.Evidence = Some(100), Some(0), Some(0), "rel_l1", "rms", "ns", sign.Sum(nil)
	full.Score, full.RTB = "9.7e-1", "fast"
	less := recordedWindow(8, 0)
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

// The limits allow far more than 27 slabs, and every window is where it was put.
func TestPackedWindowsMany(t *testing.T) {
	ws := NewWindows("", Canary)
	w := Window{Schema: WindowSchema, Channel: Canary, ID: strings.Repeat("w", limits.Name)}
	for _, m := range metrics {
		*m.of(&w) = Value(strings.Repeat("v", limits.Value))
	}
	for ws.Room(1, TextOf(&w)) {
		w.StartMS = int64(ws.Len())
		ws.Add(w.StartMS, &w)
	}
	for i := range ws.Len() {
		if got := ws.At(i); got.K != int64(i) || ws.Start(i) != int64(i) {
			t.Fatalf("window %d of %d is that of event %d", i, ws.Len(), got.K)
		}
	}
	if slabs := len(ws.slabs); slabs > 2*limits.WindowText/slabSize {
		t.Errorf("%d slabs", slabs)
	}
}

// What the quick way reads is what the general one reads, and both refuse the same.
func FuzzScanWindow(f *testing.F) {
	w := recordedWindow(7, 3000)
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
