package conformance

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// Both files are plain data for any implementation. cases.json is the reference;
// edges.json holds what it leaves open and what mutants of the rules need to be
// caught; see TestMutants of package gates.
var caseFiles = []string{"cases.json", "edges.json"}

func readCaseFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../../testdata/gates/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCases(t *testing.T) {
	want := map[string]map[string]int{
		"cases.json": {"decide": 37, "sample_size": 7, "sample_size_ab": 1, "rollback_clock": 3},
		"edges.json": {"decide": 76, "sample_size": 8, "sample_size_ab": 5, "rollback_clock": 6},
	}
	later := map[string]int{"cases.json": 21}
	for _, file := range caseFiles {
		results, err := Run(readCaseFile(t, file))
		if err != nil {
			t.Fatal(err)
		}
		passed, open := map[string]int{}, 0
		for _, r := range results {
			t.Run(file+"/"+r.ID, func(t *testing.T) {
				switch {
				case r.Status == Pass:
					passed[r.Kind]++
				case r.Status == NotImplemented && slices.Contains(laterKinds, r.Kind):
					open++
				default:
					t.Errorf("%s: %s %s\ngot %s", r.Kind, r.Status, r.Fault, r.Got)
				}
			})
		}
		if !maps.Equal(passed, want[file]) || open != later[file] {
			t.Errorf("%s: passed %v, not implemented %d; want %v, %d", file, passed, open, want[file], later[file])
		}
	}
}

func TestRunKinds(t *testing.T) {
	data := readCaseFile(t, "cases.json")
	results, err := Run(data, "rollback_clock", "ramp")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range results {
		got = append(got, r.ID+" "+string(r.Status))
	}
	if want := "rb-01 pass, rb-02 pass, rb-03 pass, rp-01 not_implemented, rp-04 not_implemented, rp-02 not_implemented"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if _, err := Run(data, "decied"); err == nil {
		t.Error("a kind that is none was taken")
	}
}

// A case that was not understood, or whose result differs anywhere, does not pass.
func TestRunFaults(t *testing.T) {
	rollback := func(kind, input, expect string) string {
		return `[{"id":"x","kind":"` + kind + `","note":"","input":` + input + `,"expect":` + expect + `}]`
	}
	const clock = `{"T_rollback_ms":5,"decided_mono_ms":0,"decided_ms":1,"effective_mono_ms":1,"trigger_end_ms":0}`
	const decide = `{"channel":"canary","now_ms":0,"since_ms":0,"policy":{},"windows":[]}`
	for _, tt := range []struct {
		name, file string
		status     Status
		fault      string
	}{
		{"pass", rollback("rollback_clock", clock, `{"ok":true,"reason":null,"total_ms":2}`), Pass, ""},
		{"other value", rollback("rollback_clock", clock, `{"ok":true,"reason":null,"total_ms":3}`), Fail, "total_ms: got 2, want 3"},
		{"no integer", rollback("rollback_clock", clock, `{"ok":true,"total_ms":"2"}`), Fail, "total_ms: got 2, want 2"},
		{"null", rollback("rollback_clock", clock, `{"ok":null}`), Fail, "ok: got true, want <nil>"},
		{"expects more", rollback("rollback_clock", clock, `{"ok":true,"late":true}`), Fail, "late: got nothing, want true"},
		{"expects nothing", rollback("rollback_clock", clock, `{}`), Fail, "expect is not an object with members"},
		{"expects no object", rollback("rollback_clock", clock, `[]`), Fail, "expect is not an object with members"},
		{"unknown input", rollback("rollback_clock", `{"T":5}`, `{"ok":true}`), Fail, `malformed cases: json: unknown field "T"`},
		{"unknown kind", rollback("wald", clock, `{"ok":true}`), UnknownKind, ""},
		{"later kind", rollback("eb_upper", clock, `{"ok":true}`), NotImplemented, ""},
		{"unexpected member", rollback("sample_size", `{"s2":1,"margin":0,"beta":0.1}`, `{"W":1}`), Fail, "error: got E_SAMPLE_SIZE, want none"},
		{"inexact", rollback("sample_size", `{"s2":0,"margin":1,"beta":0.1}`, `{"W":1,"z":1.28155157}`), Fail, "z: got 1.28155156554"},
		{"within tolerance", rollback("sample_size", `{"s2":0,"margin":1,"beta":0.1}`, `{"W":1,"z":1.281551566}`), Pass, ""},
		{"shorter list", rollback("decide", decide, `{"decision":"ERROR","reasons":[]}`), Fail, "reasons: got [E_POLICY:tau_score"},
		{"unknown threshold", rollback("decide", strings.Replace(decide, "{}", `{"tau_scoer":"1"}`, 1), `{"decision":"HOLD"}`), Fail, `policy: unknown member "tau_scoer"`},
		{"unknown metric", rollback("decide", strings.Replace(decide, "[]", `[{"scoer":"1"}]`, 1), `{"decision":"HOLD"}`), Fail, `scoer: unknown member (did you mean "score"?)`},
	} {
		results, err := Run([]byte(tt.file))
		if err != nil || len(results) != 1 {
			t.Errorf("%s: %v, %v", tt.name, results, err)
			continue
		}
		if r := results[0]; r.Status != tt.status || !strings.HasPrefix(r.Fault, tt.fault) || tt.fault == "" && r.Fault != "" {
			t.Errorf("%s: got %s, %q, want %s, %q", tt.name, r.Status, r.Fault, tt.status, tt.fault)
		}
	}
}

func TestRunFile(t *testing.T) {
	one := `{"id":"a","kind":"dag","note":"","input":{},"expect":{}}`
	for _, tt := range []struct{ file, want string }{
		{`{"schema":"gate-cases/1","counts":{"cases":1},"cases":[` + one + `]}`, ""},
		{`{"schema":"gate-cases/1","counts":{"cases":2},"cases":[` + one + `]}`, "1 cases, the file says 2"},
		{`{"schema":"gate-cases/2","cases":[` + one + `]}`, `schema: want gate-cases/1, got "gate-cases/2"`},
		{`[` + one + `,` + one + `]`, `case "a": no id of its own`},
		{`[{}]`, `case "": no id of its own`},
		{`[]`, "no cases"},
		{`{"schema":"gate-cases/1"}`, "no cases"},
		{`[` + one + `] []`, "malformed cases: something follows"},
		{`[{"id":"a","expects":{}}]`, `malformed cases: json: unknown field "expects"`},
	} {
		_, err := Run([]byte(tt.file))
		if got := errText(err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.file, got, tt.want)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
