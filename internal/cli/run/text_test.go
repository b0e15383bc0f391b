package run

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/ciinfo"
	"github.com/relseal/relseal/internal/rundir"
)

// TestRunTextWidth: whatever a record holds, it is shown in 80 columns, and a
// terminal does not obey it.
func TestRunTextWidth(t *testing.T) {
	long, evil := strings.Repeat("word ", 50)+strings.Repeat("w", 300), "\x1b[2J\r\n\u202e"
	huge := canon.Decimal("999999999999")
	now := audit.Time{}
	exit, failed := int64(-1), "failed" // a trail with another status is not read
	use := rundir.Usage{Makespan: &huge, CPUUser: &huge, CPUSys: &huge, PeakMem: &huge}
	for _, text := range []string{"", "short", long, evil, long + evil, strings.Repeat("ü", 200)} {
		dirty := true
		r := rundir.Run{
			ID: strings.Repeat("f", 32), Product: &text, Actor: &text, Outcome: &failed, Error: &text, Started: &now, Ended: &now, Usage: use,
			Start: rundir.Start{Source: &rundir.Source{Commit: text, Dirty: &dirty}, CI: &ciinfo.Info{System: text, Run: &text, URL: &text}},
			Steps: []rundir.Step{
				{ID: text, Status: &failed, Error: &text, ExitCode: &exit, Inputs: 1 << 30, Outputs: 1 << 30, Log: &rundir.Blob{Size: 1 << 62}, Usage: use},
				{ID: text},
			},
			Critical: &rundir.Path{Steps: []string{text, text, text}, Makespan: huge},
			Findings: []finding.Finding{finding.New(finding.SchemaMismatch, text, text).At(1 << 50)},
		}
		for line := range strings.Lines(runText(r)) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > textWidth {
				t.Errorf("%d columns: %s", n, line)
			}
			if strings.ContainsAny(line, "\x1b\r\u202e") {
				t.Errorf("not escaped: %q", line)
			}
		}
	}
}

func TestFold(t *testing.T) {
	for text, want := range map[string][]string{
		"":              {""},
		"ab":            {"ab"},
		"abcd":          {"abcd"},
		"abcde":         {"abcd", "e"},
		"ab cd":         {"ab", "cd"},
		"a b c d":       {"a b", "c d"},
		"abcd efgh":     {"abcd", "efgh"},
		"ab cdefghi jk": {"ab", "cdef", "ghi", "jk"},
		"üüüüü":         {"üüüü", "ü"},
	} {
		if got := slices.Collect(fold(text, 4)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestScaled(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 KiB", 1536: "1.5 KiB", 100 << 10: "100 KiB", 1<<20 - 1: "1.0 MiB", 64 << 20: "64.0 MiB", 1 << 62: "4.0 EiB"} {
		if got := scaled(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestShowSeconds(t *testing.T) {
	for d, want := range map[canon.Decimal]string{"0": "0.00 s", "0.004": "0.00 s", "9.99": "9.99 s", "12.345": "12.3 s", "99.9": "99.9 s", "100": "1m40s", "3600.5": "1h0m1s", "1000000000": "?", "-1": "?"} {
		if got := showSeconds(&d); got != want {
			t.Errorf("%s is %s, want %s", d, got, want)
		}
	}
	if got := showSeconds(nil); got != "-" {
		t.Errorf("nothing is %s", got)
	}
}
