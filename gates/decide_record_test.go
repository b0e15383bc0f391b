package gates

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// These bytes are hashed; they never change.
const (
	windowBytes = `{"channel":"canary","delta_psd":"0.01","delta_rep":"0.01","drop_rate":"0.001","end_ms":60000,"hb_lag":"1.5","id":"w1","incident_rate":null,` +
		`"r_tb":"NaN","release":"sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a","schema":"relseal/window/v1","score":"0.97","seq":1,"start_ms":0}`
	decisionBytes = `{"alerts":[],"channel":"canary","coverage_ms":60000,"decision":"HOLD","evidence":["w1"],"next":{"after":"w1","earliest_ms":240000,"window_ms":60000,"windows":3},"now_ms":60000,` +
		`"observed":{"count":1,"end_ms":60000,"root":"ROOT","start_ms":0},"policy":{"digest":"POLICY"},` +
		`"predicates":[{"limit":"180000","met":false,"name":"COVERAGE","op":">=","statistic":"ms","value":"60000"},{"limit":"3","met":false,"name":"WINDOWS","op":">=","statistic":"count","value":"1"},` +
		`{"limit":"0.95","met":true,"metric":"score","name":"SCORE","op":">=","statistic":"sum","value":"0.97","window":"w1"},{"limit":"0.02","met":false,"metric":"delta_rep","name":"DELTA_REP","op":"<=","statistic":"max","value":"0.03","window":"w1"},` +
		`{"limit":"0.05","met":true,"metric":"delta_psd","name":"DELTA_PSD","op":"<=","statistic":"max","value":"0","window":"w1"},{"limit":"0.001","met":true,"metric":"r_tb","name":"R_TB","op":"<=","statistic":"max","value":"0.0002","window":"w1"}],` +
		`"reasons":["COVERAGE","WINDOWS","DELTA_REP"],"schema":"relseal/decision/v1","semantics":"gate/1","since_ms":0,"triggers":[],"windows":[THE-WINDOW]}`
)

func TestDecisionBytes(t *testing.T) {
	w := goodRow(Canary, 1)[0]
	w.DeltaRep, w.DeltaPSD = "0.03", "-1e3" // delta^+ is floored at 0, and kept as it was written
	d := mustDecide(t, testPolicy(), Input{Channel: Canary, NowMS: 60_000, Windows: []Window{w}})
	leaf, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	policy, err := testPolicy().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("ROOT", sign.Sum([]byte("\x00"+string(leaf))).String(), "POLICY", sign.Sum(policy).String(), "THE-WINDOW", string(leaf)).Replace(decisionBytes)
	got := mustMarshal(t, d)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	again, err := ReadDecision([]byte(got))
	if err != nil || mustMarshal(t, again) != got || again.Explain() != d.Explain() {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := ReadDecision([]byte(strings.Replace(got, "decision/v1", "decision/v2", 1))); !errors.Is(err, ErrSchema) {
		t.Errorf("another schema: %v", err)
	}
	if _, err := ReadDecision([]byte(strings.Replace(got, `"alerts":[],`, "", 1))); err == nil {
		t.Error("a decision without alerts was read")
	}
}

// The root is that of RFC 6962: the tree of three is hash(hash(a, b), c).
func TestMerkleRoot(t *testing.T) {
	node := func(l, r sign.Digest) sign.Digest { return sign.Sum(slices.Concat([]byte{1}, l[:], r[:])) }
	var l []sign.Digest
	for i := range byte(7) {
		l = append(l, sign.Sum([]byte{0, i}))
	}
	for n, want := range []sign.Digest{
		sign.Sum(nil), l[0], node(l[0], l[1]), node(node(l[0], l[1]), l[2]),
		node(node(l[0], l[1]), node(l[2], l[3])), node(node(node(l[0], l[1]), node(l[2], l[3])), l[4]),
		node(node(node(l[0], l[1]), node(l[2], l[3])), node(l[4], l[5])),
		node(node(node(l[0], l[1]), node(l[2], l[3])), node(node(l[4], l[5]), l[6])),
	} {
		var o observer
		for _, leaf := range l[:n] {
			o.grow(leaf)
		}
		if got := o.observed(); got.Root != want || got.Count != int64(n) {
			t.Errorf("%d leaves: %v, want %v", n, got, want)
		}
	}
}

// A decision holds what it speaks of, and is canonical, whatever it says.
func TestDecisionIsWhole(t *testing.T) {
	scenes(t, func(t *testing.T, s *scene, d Decision) bool {
		data := mustMarshal(t, d)
		if again, err := ReadDecision([]byte(data)); err != nil || mustMarshal(t, again) != data {
			t.Errorf("%v: %s", err, data)
		}
		named := append(slices.Clone(d.Evidence), d.Window)
		for _, p := range append(d.Predicates, d.Triggers...) {
			named = append(named, p.Window)
		}
		if d.Restart != nil {
			named = append(named, d.Restart.Window)
		}
		for _, id := range named {
			if id != "" && !slices.ContainsFunc(d.Windows, func(w Window) bool { return w.ID == id }) {
				t.Errorf("%s is not there: %s", id, data)
			}
		}
		if (d.Decision == Promote) != (len(d.Reasons) == 0) || (d.Decision == Promote) != (d.To != "") {
			t.Errorf("%s", data)
		}
		if text := d.Explain(); !strings.HasPrefix(text, string(d.Decision)+" ") || !canon.Printable(strings.ReplaceAll(text, "\n", "")) {
			t.Errorf("%s", text)
		}
		return true
	})
}

// A promotion follows from its evidence alone.
func TestEvidenceSuffices(t *testing.T) {
	scenes(t, func(t *testing.T, s *scene, d Decision) bool {
		if d.Decision != Promote {
			return false
		}
		again := mustDecide(t, s.p, s.with(d.Windows))
		if again.Decision != Promote || !slices.Equal(again.Evidence, d.Evidence) {
			t.Errorf("%s", again.Explain())
		}
		return true
	})
}

// Next is right: that many good windows promote, one less does not.
func TestNext(t *testing.T) {
	scenes(t, func(t *testing.T, s *scene, d Decision) bool {
		n := d.Next
		if n == nil || n.WindowMS == 0 {
			return false
		}
		ws := slices.Clone(s.in.Windows)
		at := d.Observed.EndMS.n
		s.in.NowMS = n.EarliestMS
		for i := range n.Windows {
			if before := mustDecide(t, s.p, s.with(ws)); before.Decision == Promote {
				t.Errorf("after %d of %d windows: %s", i, n.Windows, before.Explain())
			}
			w := goodRow(s.in.Channel, 1)[0]
			w.ID, w.Release, w.StartMS, w.EndMS = "n"+string('a'+rune(i)), thisRelease, at, at+n.WindowMS
			ws, at = append(ws, w), w.EndMS
		}
		after := mustDecide(t, s.p, s.with(ws))
		if after.Decision != Promote || n.Windows < 1 || n.EarliestMS < max(at, d.NowMS) {
			t.Errorf("%+v: %s", *n, after.Explain())
		}
		return true
	})
}

// Decide refuses what no ledger could hold, and only then.
func TestDecideInput(t *testing.T) {
	good := Input{Channel: Canary, Release: "r", NowMS: 1, Windows: goodRow(Canary, 2)}
	for i := range good.Windows {
		good.Windows[i].Release = "r"
	}
	if _, err := Decide(testPolicy(), good); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		change func(*Input)
		want   string
	}{
		{func(in *Input) { in.Channel = "lts" }, `channel: want canary or stable or LTS, got "lts" (did you mean "LTS"?)`},
		{func(in *Input) { in.NowMS = -1 }, "now_ms: must be at least 0 ms"},
		{func(in *Input) { in.SinceMS = 1 << 60 }, "since_ms: must be at most 9223372036854 ms"},
		{func(in *Input) { in.Windows[1].ID = "" }, "windows[1].id: is missing"},
		{func(in *Input) { in.Windows[1].EndMS = 1 << 60 }, "windows[1].end_ms: must be at most 9223372036854 ms"},
		{func(in *Input) { in.Windows[1].Score = "\xff" }, "windows[1].score: is not text of at most 100 bytes in UTF-8"},
		{func(in *Input) { in.Release = "é" }, "release: is not text of at most 200 characters within U+0020 to U+007E"},
	} {
		in := good
		in.Windows = slices.Clone(good.Windows)
		tt.change(&in)
		if _, err := Decide(testPolicy(), in); errText(err) != tt.want {
			t.Errorf("got %q, want %q", errText(err), tt.want)
		}
	}
}
