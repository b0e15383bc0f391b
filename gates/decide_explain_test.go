package gates

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// tenOClock is 2026-01-02T10:00:00Z.
const tenOClock = 1_767_348_000_000

// explained are the scenarios of testdata/explain: n windows of a minute from ten
// o'clock on, changed.
var explained = []struct {
	name    string
	channel string
	windows int
	change  func(p *Policy, in *Input)
}{
	{"promote", Canary, 4, func(_ *Policy, in *Input) { in.Windows[1].Score, in.Windows[2].Score = "0.9651", "1" }},
	{"hold-delta", Canary, 3, func(_ *Policy, in *Input) {
		in.Windows[1].DeltaRep, in.Windows[1].Evidence = "0.03", sign.Sum([]byte("samples"))
	}},
	{"hold-drift-after-gap", Canary, 4, func(_ *Policy, in *Input) {
		in.Windows[1].EndMS -= 250
		in.Windows[3].RTB = "0.0010001"
		in.Windows[2].Score, in.Windows[3].Score = "0.97", "0.9700000000000000000000000000000000001"
	}},
	{"hold-nothing-seen", Canary, 0, func(_ *Policy, in *Input) { in.NowMS += 30_000 }},
	{"hold-incident", Stable, 4, func(_ *Policy, in *Input) { in.Windows[2].IncidentRate = "0.11" }},
	{"hold-top", LTS, 2, func(*Policy, *Input) {}},
	{"rollback-triggers", Canary, 3, func(_ *Policy, in *Input) {
		in.Windows[1].Score = "0.94999999999999999999"
		in.Windows[2].HBLag, in.Windows[2].LastBeatMS = "", Some(tenOClock+121_500)
	}},
	{"rollback-many", Canary, 30, func(_ *Policy, in *Input) {
		for i := range in.Windows {
			in.Windows[i].DropRate = "0.5"
		}
	}},
	{"rollback-blackout", Stable, 3, func(p *Policy, in *Input) {
		for i := range in.Windows {
			in.Windows[i].IncidentRate = ""
		}
	}},
	{"undecidable-values", Canary, 3, func(_ *Policy, in *Input) {
		w := &in.Windows[2]
		w.Score, w.DeltaRep, w.DeltaPSD, w.PSDKind, w.RTB, w.TBUnit = "", "fa\x1b[31mst\n", "0.01", "log_l2_db", "0.2", "ms"
	}},
	{"undecidable-windows", Canary, 3, func(_ *Policy, in *Input) {
		in.Windows[1].StartMS--
		in.Windows = append(in.Windows, in.Windows[2])
		in.Windows[3].Score = "1"
	}},
	{"undecidable-expired", Canary, 1, func(p *Policy, in *Input) {
		p.TObsMaxMS = 86_400_000
		in.SinceMS -= 86_400_000
	}},
	{"error", Canary, 1, func(p *Policy, _ *Input) { p.TauScore, p.WMin = "NaN", 0 }},
}

func TestExplain(t *testing.T) {
	names := []string{}
	for _, tt := range explained {
		p, in := testPolicy(), Input{Channel: tt.channel, Release: sign.Sum([]byte("bundle")).String(), SinceMS: tenOClock, NowMS: tenOClock + int64(tt.windows)*60_000}
		in.Windows = goodRow(tt.channel, tt.windows)
		for i := range in.Windows {
			w := &in.Windows[i]
			w.StartMS, w.EndMS, w.Release = w.StartMS+tenOClock, w.EndMS+tenOClock, in.Release
		}
		tt.change(&p, &in)
		file := tt.name + ".txt"
		names = append(names, file)
		want, err := os.ReadFile("testdata/explain/" + file)
		if got := mustDecide(t, p, in).Explain(); err != nil || got != string(want) {
			t.Errorf("%s: %v\n%s", tt.name, err, got)
		}
	}
	files, err := os.ReadDir("testdata/explain")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !slices.Contains(names, f.Name()) {
			t.Errorf("%s belongs to no scenario", f.Name())
		}
	}
}

// A decision that somebody else wrote is shown without doing as it says.
func TestExplainHostile(t *testing.T) {
	bad := "\x1b]0;x\a\n" + strings.Repeat("é", 500)
	d := Decision{
		Channel: bad, Release: bad, To: bad, Decision: Outcome(bad), Reasons: []string{bad, "METRIC_MISSING:" + bad}, Alerts: []string{bad}, Evidence: []string{bad}, Window: bad,
		SinceMS: -1 << 53, NowMS: 1 << 53, Restart: &Restart{bad, []string{bad}}, Next: &Next{After: bad, Windows: -1, WindowMS: -1, EarliestMS: 1 << 53},
	}
	p := Predicate{Name: bad, Metric: bad, Statistic: bad, Value: "1e999999999", Op: bad, Limit: bad, Window: bad}
	sum, ms := p, p
	sum.Statistic, ms.Statistic = statSum, statTime
	for _, predicates := range [][]Predicate{nil, {p, sum, ms}} {
		for _, triggers := range [][]Predicate{nil, {p, sum, ms}} {
			d.Predicates, d.Triggers = predicates, triggers
			if text := d.Explain(); !canon.Printable(strings.ReplaceAll(text, "\n", "")) || len(text) > 10_000 {
				t.Errorf("%q", text)
			}
		}
	}
}
