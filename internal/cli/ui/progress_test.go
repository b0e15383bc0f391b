package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/verify"
)

func TestProgressLine(t *testing.T) {
	for _, tt := range []struct {
		events, bytes, of int64
		took              time.Duration
		want              string
	}{
		{0, 0, 0, 2 * time.Second, "0.0 MB, 0.0 MB/s"},
		{0, 1_000_000, 0, 2 * time.Second, "1.0 MB, 0.5 MB/s"},
		{1, 250_000_000, 1_000_000_000, 2 * time.Second, "1 event, 250.0 MB of 1000.0 MB, 125.0 MB/s, 7s left"},
		{10_000_000, 12_000_000_000, 12_000_000_000, time.Minute, "10000000 events, 12.0 GB of 12.0 GB, 200.0 MB/s"},
		{7, 30, 20, time.Second, "7 events, 0.0 MB, 0.0 MB/s"}, // more than the manifest says
	} {
		p := new(verify.Progress)
		p.Events.Store(tt.events)
		p.Bytes.Store(tt.bytes)
		p.Of.Store(tt.of)
		if got := progressLine(p, tt.took); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// TestMeter: a line covers the one before it, fits into 80 columns, and is gone in
// the end.
func TestMeter(t *testing.T) {
	var w strings.Builder
	p := new(verify.Progress)
	start := time.Now()
	m := meter{w: &w, what: strings.Repeat("long/", 40), p: p, start: start}
	m.clear()
	if w.Len() != 0 {
		t.Errorf("wrote %q", w.String())
	}
	p.Events.Store(1000)
	p.Bytes.Store(5e9)
	p.Of.Store(9e9)
	m.show(start.Add(time.Second))
	first := w.String()
	p.Of.Store(0)
	m.show(start.Add(2 * time.Second))
	m.clear()
	if strings.Contains(w.String(), "\n") || !strings.HasSuffix(w.String(), " \r") {
		t.Errorf("wrote %q", w.String())
	}
	for part := range strings.SplitSeq(w.String(), "\r") {
		if n := len([]rune(part)); n > 79 || n > 0 && n < len([]rune(first))-1 {
			t.Errorf("%d columns: %q", n, part)
		}
	}
}
