package document

import (
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
)

func TestSuggest(t *testing.T) {
	known := []string{"inputs", "outputs", "run", "T_obs", "same_as"}
	for name, want := range map[string]string{
		"input": "inputs", "ouputs": "outputs", "rnu": "run", "Run": "run", "t_obs": "T_obs", "T_obs_ms": "T_obs", "x_ms": "", "sameas": "same_as",
		"x": "", "": "", "runtime": "", "ru": "run", "r": "", strings.Repeat("run", 100): "",
	} {
		if want != "" {
			want = `did you mean "` + want + `"?`
		}
		if got := Suggest(name, known); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestFaultsAreBounded(t *testing.T) {
	var fs Faults
	for range 5000 {
		fs.Report(At("a", 1, "b"), "x", "")
	}
	if len(fs) != maxFaults+1 || fs[0].String() != "a[1].b: x" || !strings.HasPrefix(fs[maxFaults].Text, "more than 1000 faults") {
		t.Errorf("%d, %v", len(fs), fs[len(fs)-1])
	}
	if s := At(strings.Repeat("x", 500), "y\x1b", strings.Repeat("z", 500)).String(); len(s) > 250 || !canon.Printable(s) {
		t.Errorf("%q", s)
	}
}

func TestUnmarshal(t *testing.T) {
	type doc struct {
		N      int64  `json:"n"`
		Schema string `json:"schema"`
	}
	tests := []struct{ data, want string }{
		{`{"n":1,"schema":"relseal/test/v1"}`, ""},
		{`{"n":1,"schema":"relseal/test/v2","x":1}`, `schema: want relseal/test/v1, got "relseal/test/v2"`},
		{`{"n":1}`, "schema: want relseal/test/v1, got none"},
		{`{"n":1,"schema":1}`, "schema: want relseal/test/v1, got none"},
		{`{"Schema":"relseal/test/v1","n":1}`, "schema: want relseal/test/v1, got none"},
		{`[]`, "schema: want relseal/test/v1, got no object"},
		{`{"n":1,"schema":"relseal/test/v1"} `, "not in canonical form: first difference at byte 34"},
		{`{"schema":"relseal/test/v1"}`, "missing member"},
		{`{"n":1,"schema":"relseal/test/v1","x":1}`, "unknown member"},
	}
	for _, test := range tests {
		var d doc
		err := Unmarshal([]byte(test.data), "relseal/test/v1", &d)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.data, err)
		}
	}
	if err := Unmarshal(make([]byte, 2<<20), "relseal/test/v1", &doc{}); err == nil {
		t.Error("2 MiB are accepted")
	}
}
