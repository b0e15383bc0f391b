package gates

import (
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/sign"
)

// Every decision can be made again, from more windows than it saw.
func TestReplay(t *testing.T) {
	scenes(t, func(t *testing.T, s *scene, d Decision) bool {
		ws := slices.Clone(s.in.Windows)
		stranger := goodRow(Canary, 1)[0]
		stranger.Release = otherRelease
		later := goodRow(s.in.Channel, 1)[0]
		later.ID, later.Release, later.StartMS, later.EndMS = "later", thisRelease, s.in.NowMS, s.in.NowMS+60_000
		ws = append(append([]Window{stranger}, ws...), later)
		late := later // arrived after the decision, about a time before it
		late.ID, late.StartMS, late.EndMS = "late", 0, 1
		ws = append(ws, late)
		r, err := Replay(d, s.p, ws)
		if err != nil || len(r.Missing) > 0 || len(r.Differences) > 0 || mustMarshal(t, r.Decision) != mustMarshal(t, d) {
			t.Errorf("%v: %+v", err, r)
		}
		newestFirst := slices.Clone(ws[:len(ws)-1]) // as some archives have them
		slices.Reverse(newestFirst)
		if r, err := Replay(d, s.p, newestFirst); err != nil || len(r.Differences) > 0 || len(r.Missing) > 0 && d.Observed.EndMS.n <= s.in.NowMS {
			t.Errorf("%v: %+v", err, r)
		}
		return len(s.in.Windows) > 0
	})
}

func TestReplayRefuses(t *testing.T) {
	p, ws := testPolicy(), goodRow(Canary, 3)
	good := mustDecide(t, p, Input{Channel: Canary, NowMS: 180_000, Windows: ws})
	strict := p
	strict.TauScore = "0.96"
	changed := slices.Clone(ws)
	changed[1].Score, changed[1].N, changed[1].K = "0.98", Some(5), Some(0)
	for name, tt := range map[string]struct {
		change      func(*Decision)
		p           Policy
		ws          []Window
		missing     string // the first words of each
		differences string
	}{
		"same":             {func(*Decision) {}, p, ws, "", ""},
		"another decision": {func(d *Decision) { d.Decision, d.Reasons, d.To = Hold, []string{"SCORE"}, "" }, p, ws, "", `decision "HOLD" "PROMOTE"; reasons ["SCORE"] []; to absent "stable"`},
		"a better value":   {func(d *Decision) { d.Windows[0].Score = "1"; d.Predicates[2].Value = "2.94" }, p, ws, "", `predicates[2].value "2.94" "2.91"; windows[0].score "1" "0.97"`},
		"another policy":   {func(*Decision) {}, strict, ws, "policy: the record was made by", ""},
		"no policy":        {func(d *Decision) { d.Policy.Digest = nil }, p, ws, "policy: the record names none", ""},
		"other semantics":  {func(d *Decision) { d.Semantics = "gate/2" }, p, ws, "semantics:", ""},
		"a window less":    {func(*Decision) {}, p, ws[:2], "windows: the record saw 3 windows; window w3: is not there", ""},
		"another value":    {func(*Decision) {}, p, changed, `windows: the record saw 3 windows; window w2: k: the record has absent, here is 0; window w2: n: the record has absent, here is 5; window w2: score: the record has "0.97", here is "0.98"`, ""},
		"another root":     {func(d *Decision) { d.Observed.Root = sign.Sum(nil) }, p, ws, "windows: the record saw 3 windows", ""},
		"another now":      {func(d *Decision) { d.NowMS++ }, p, ws, "", ""},
	} {
		d := good
		d.Windows, d.Predicates = slices.Clone(d.Windows), slices.Clone(d.Predicates)
		tt.change(&d)
		r, err := Replay(d, tt.p, tt.ws)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(tt.missing, "; ")
		for i, m := range r.Missing {
			if tt.missing == "" || i >= len(want) || !strings.HasPrefix(m, want[i]) {
				t.Errorf("%s: missing %q, want %q", name, m, tt.missing)
			}
		}
		if tt.missing != "" && len(r.Missing) != len(want) {
			t.Errorf("%s: missing %q, want %q", name, r.Missing, tt.missing)
		}
		var got []string
		for _, m := range r.Differences {
			got = append(got, m.Name+" "+m.Recorded+" "+m.Follows)
		}
		if strings.Join(got, "; ") != tt.differences {
			t.Errorf("%s: differences %q, want %q", name, got, tt.differences)
		}
	}
}
