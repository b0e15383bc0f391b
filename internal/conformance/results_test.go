package conformance

import (
	"fmt"
	"strings"
	"testing"
)

// What this implementation prints is what it takes from another.
func TestCompare(t *testing.T) {
	data := readCaseFile(t, "cases.json")
	own, err := Run(data)
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	passed := 0
	for _, r := range own {
		if r.Status == Pass {
			passed++
			fmt.Fprintf(&lines, "{\"id\":%q,\"got\":%s}\n\n", r.ID, r.Got)
		}
	}
	results, err := Compare(data, []byte(lines.String()))
	if err != nil || len(results) != len(own) {
		t.Fatal(len(results), err)
	}
	for i, r := range results {
		want := Fail
		if own[i].Status == Pass {
			want = Pass
		}
		if r.Status != want || (r.Fault == "there is no result") != (want == Fail) {
			t.Errorf("%+v", r)
		}
	}
	changed := strings.Replace(lines.String(), `"decision":"PROMOTE"`, `"decision":"HOLD"`, 1)
	results, err = Compare(data, []byte(changed), "decide")
	if err != nil || results[0].Status != Fail || results[0].Fault != "decision: got HOLD, want PROMOTE" || len(results) != 37 {
		t.Errorf("%d, %+v, %v", len(results), results[0], err)
	}
	// A kind that this version lacks can be compared all the same.
	results, err = Compare([]byte(`[{"id":"x","kind":"ramp","note":"","input":{},"expect":{"n":[1,2]}}]`), []byte(`{"id":"x","got":{"n":[1,2.0]}}`), "ramp")
	if err != nil || results[0].Status != Pass {
		t.Errorf("%+v, %v", results, err)
	}
	for _, tt := range []struct{ results, kind, want string }{
		{`{"id":"x"}`, "", "results, line 1: want the members id and got"},
		{"\n{", "", "results, line 2: unexpected end of JSON input"},
		{"{\"id\":\"x\",\"got\":1}\n{\"id\":\"x\",\"got\":1}", "", `results, line 2: a second result for "x"`},
		{`{"id":"x","got":1}`, "", `a result is for "x", which is no case`},
		{"", "decied", `no case is of kind "decied"`},
	} {
		kinds := []string{}
		if tt.kind != "" {
			kinds = append(kinds, tt.kind)
		}
		if _, err := Compare(data, []byte(tt.results), kinds...); errText(err) != tt.want {
			t.Errorf("%q: got %v, want %s", tt.results, err, tt.want)
		}
	}
}
