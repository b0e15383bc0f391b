package policyfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/yamldoc"
)

const goodPolicy = `schema: relseal/gates/v1
mode: literal
r_canary: "0.05"
T_obs: 30m
T_rollback: 5m
stale_max: 2m
W_min: 3
N_LTS: 3
gap_max: 0s
skew_max: 1s
max_undecidable: 2
tau_score: "0.95"
gate_rep: "0.02"
tau_psd: {kind: rel_l1, max: "0.05"}
tau_tb: {kind: rms, unit: s, max: "0.001"}
tau_hb: 5
tau_drop: "0.010"
tau_inc: "1e-1"
`

// These bytes are hashed and signed; they never change.
const goodPolicyJSON = `{"N_LTS":3,"T_obs_ms":1800000,"T_rollback_ms":300000,"W_min":3,"gap_max_ms":0,"gate_rep":"0.02","max_undecidable":2,"mode":"literal",` +
	`"r_canary":"0.05","schema":"relseal/gates/v1","skew_max_ms":1000,"stale_max_ms":120000,"tau_drop":"0.01","tau_hb":"5","tau_inc":"0.1",` +
	`"tau_psd":{"kind":"rel_l1","max":"0.05"},"tau_score":"0.95","tau_tb":{"kind":"rms","max":"0.001","unit":"s"}}`

func TestPolicy(t *testing.T) {
	p, err := Parse("gates.yaml", []byte(goodPolicy))
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.Marshal()
	if err != nil || string(data) != goodPolicyJSON {
		t.Errorf("got  %s, %v\nwant %s", data, err, goodPolicyJSON)
	}
	if again, err := gates.ReadPolicy(data); err != nil || again != p {
		t.Errorf("%+v, %v", again, err)
	}
	edit := strings.NewReplacer("mode: literal", "plus: upper_bound\nmode: literal # as written\nT_obs_max: 1d")
	p, err = Parse("gates.yaml", []byte(edit.Replace(goodPolicy)))
	if err != nil || p.TObsMaxMS != 86_400_000 || p.Plus != "upper_bound" {
		t.Errorf("%+v, %v", p, err)
	}
	if data, err = p.Marshal(); err != nil || !bytes.Contains(data, []byte(`"T_obs_max_ms":86400000,`)) {
		t.Errorf("%s, %v", data, err)
	}
	for _, tb := range []string{`{kind: std, unit: us, max: "9.5"}`, `{kind: ratio, unit: "1", max: 0}`} {
		if _, err := Parse("gates.yaml", []byte(strings.Replace(goodPolicy, `{kind: rms, unit: s, max: "0.001"}`, tb, 1))); err != nil {
			t.Error(err)
		}
	}
	if _, err := gates.ReadPolicy([]byte(strings.Replace(goodPolicyJSON, "gates/v1", "window/v1", 1))); !errors.Is(err, gates.ErrSchema) {
		t.Errorf("%v is not ErrSchema", err)
	}
}

// A threshold out of range is found in YAML, with its line, and in canonical JSON.
func TestPolicyFaults(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"mode", "mode: literal", "mode: litteral", `2: mode: want literal, got "litteral" (did you mean "literal"?)`},
		{"no canary", `r_canary: "0.05"`, "r_canary: 0", "3: r_canary: must be above 0"},
		{"negative canary", `r_canary: "0.05"`, `r_canary: "-0.05"`, "3: r_canary: -0.05 is below 0"},
		{"canary above all", `r_canary: "0.05"`, `r_canary: "1.0000000000000000000000000000000001"`, "3: r_canary: 1.0000000000000000000000000000000001 is above 1"},
		{"T_obs", "T_obs: 30m", "T_obs: 0s", "4: T_obs: must be at least 1 ms"},
		{"W_min", "W_min: 3", "W_min: 0", "7: W_min: must be at least 1, got 0"},
		{"N_LTS", "N_LTS: 3", "N_LTS: -1", "8: N_LTS: must be at least 1, got -1"},
		{"max_undecidable", "max_undecidable: 2", "max_undecidable: -1", "11: max_undecidable: must be at least 0, got -1"},
		{"score below", `tau_score: "0.95"`, `tau_score: "-0.1"`, "12: tau_score: -0.1 is below 0"},
		{"score above", `tau_score: "0.95"`, "tau_score: 95", "12: tau_score: 95 is above 1"},
		{"gate_rep", `gate_rep: "0.02"`, `gate_rep: "-0.02"`, "13: gate_rep: -0.02 is below 0"},
		{"tau_psd kind", "rel_l1", "rel_l2", `14: tau_psd.kind: want rel_l1 or log_l2_db, got "rel_l2" (did you mean "rel_l1"?)`},
		{"tau_psd", `max: "0.05"}`, `max: -1}`, "14: tau_psd.max: -1 is below 0"},
		{"tau_tb kind", "kind: rms", "kind: mean", `15: tau_tb.kind: want rms or std or ratio, got "mean"`},
		{"tau_tb", `max: "0.001"`, `max: "-0.001"`, "15: tau_tb.max: -0.001 is below 0"},
		{"tau_tb unit", "unit: s", "unit: min", `15: tau_tb.unit: want s or ms or us or ns, got "min"`},
		{"tau_tb ratio", "kind: rms", "kind: ratio", `15: tau_tb.unit: a ratio has no unit, got "s" (write "1")`},
		{"tau_hb", "tau_hb: 5", "tau_hb: -5", "16: tau_hb: -5 is below 0"},
		{"tau_drop", `tau_drop: "0.010"`, "tau_drop: -1", "17: tau_drop: -1 is below 0"},
		{"tau_inc", `tau_inc: "1e-1"`, `tau_inc: "-1e-1"`, "18: tau_inc: -0.1 is below 0"},
		{"T_obs_max", "mode: literal", "mode: literal\nT_obs_max: 29m", "3: T_obs_max: is shorter than T_obs"},
		{"plus", "mode: literal", "mode: literal\nplus: lower_bound", `3: plus: want upper_bound or point, got "lower_bound"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(goodPolicy, test.old, test.new, 1)
			_, err := Parse("gates.yaml", []byte(text))
			var faults document.Faults
			if !errors.As(err, &faults) || len(faults) != 1 || !strings.HasPrefix(err.Error(), "gates.yaml:"+test.want) {
				t.Fatalf("got  %v\nwant gates.yaml:%s", err, test.want)
			}

			doc := yamldoc.Open("gates.yaml", []byte(text))
			p := parsePolicy(doc, doc.Root())
			if err := p.Check(); !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(test.want, faults[0].Text) {
				t.Errorf("Check: %v", err)
			}
			if _, err := p.Marshal(); err == nil {
				t.Error("was marshalled")
			}
			data, err := canon.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := gates.ReadPolicy(data); !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(test.want, faults[0].Text) {
				t.Errorf("as JSON: %v", err)
			}
		})
	}
	if err := (gates.Policy{}).Check(); err == nil || strings.Count(err.Error(), "\n") < 15 {
		t.Errorf("of nothing: %v", err)
	}
}

func TestPolicyYAMLFaults(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"bare float", `tau_score: "0.95"`, "tau_score: 0.95", `gates.yaml:12: tau_score: 0.95 without quotes can be read as a floating-point number, which is not exact (quote it: "0.95")`},
		{"not a number", `tau_score: "0.95"`, `tau_score: "NaN"`, `gates.yaml:12: tau_score: want a decimal such as "0.05"; "NaN" is not a decimal number`},
		{"bare NaN", `tau_score: "0.95"`, "tau_score: .nan", `gates.yaml:12: tau_score: .nan without quotes can be read as a number that JSON does not have (quote it: ".nan")`},
		{"duration as integer", "T_obs: 30m", "T_obs: 30", "gates.yaml:4: T_obs: want a duration such as 30m, got the integer 30 (add the unit: 30s)"},
		{"duration as clock", "T_obs: 30m", "T_obs: 0:30", `gates.yaml:4: T_obs: 0:30 without quotes can be read as a number in base 60 (quote it: "0:30")`},
		{"duration negative", "T_obs: 30m", "T_obs: -30m", `gates.yaml:4: T_obs: "-30m" is not a duration (write it as 2h, 30m, 90s or 500ms)`},
		{"duration beyond", "T_obs: 30m", "T_obs: 106752d", `gates.yaml:4: T_obs: "106752d" is longer than 292 years (write it as 2h, 30m, 90s or 500ms)`},
		{"T_obs_max zero", "mode: literal", "mode: literal\nT_obs_max: 0s", "gates.yaml:3: T_obs_max: 0 is shorter than T_obs (leave it out for no limit)"},
		{"integer as text", "W_min: 3", `W_min: "3"`, `gates.yaml:7: W_min: want an integer, got the text "3" (write 3 without quotes)`},
		{"missing", "tau_hb: 5\n", "", "gates.yaml:1: tau_hb: is missing; want a decimal such as \"0.05\""},
		{"canonical name", "T_obs:", "T_obs_ms:", "gates.yaml:1: T_obs: is missing; want a duration such as 30m\n" +
			"gates.yaml:4: T_obs_ms: unknown member (did you mean \"T_obs\"?)"},
		{"unknown", "T_obs:", "window: 3\nT_obs:", "gates.yaml:4: window: unknown member (known: schema, mode, r_canary, T_obs, T_rollback, stale_max, W_min, " +
			"N_LTS, gap_max, skew_max, max_undecidable, tau_score, gate_rep, tau_psd, tau_tb, tau_hb, tau_drop, tau_inc, T_obs_max, plus)"},
		{"scalar tau_psd", `{kind: rel_l1, max: "0.05"}`, `"0.05"`, `gates.yaml:14: tau_psd: want a mapping, got the text "0.05"`},
		{"other schema", "gates/v1", "gates/v2", `gates.yaml:1: schema: want relseal/gates/v1, got "relseal/gates/v2" (another version of this format; it needs another release of relseal)`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Parse("gates.yaml", []byte(strings.Replace(goodPolicy, test.old, test.new, 1))); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestReadPolicyRefuses(t *testing.T) {
	tests := []struct{ name, old, new string }{
		{"decimal as a number", `"tau_hb":"5"`, `"tau_hb":5`},
		{"decimal not canonical", `"0.02"`, `"0.020"`},
		{"empty decimal", `"0.02"`, `""`},
		{"YAML name", `"T_obs_ms":1800000`, `"T_obs":"30m"`},
		{"missing", `"W_min":3,`, ""},
		{"unknown", `"W_min":3,`, `"W_min":3,"W_nim":3,`},
		{"unset optional", `"mode":"literal",`, `"mode":"literal","plus":"",`},
		{"zero optional", `"T_obs_ms"`, `"T_obs_max_ms":0,"T_obs_ms"`},
		{"time beyond", `"T_obs_ms":1800000`, `"T_obs_ms":9223372036855`},
		{"null", `{"kind":"rel_l1","max":"0.05"}`, "null"},
	}
	for _, test := range tests {
		text := strings.Replace(goodPolicyJSON, test.old, test.new, 1)
		if _, err := gates.ReadPolicy([]byte(text)); err == nil || text == goodPolicyJSON {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// The reference cases of the gate semantics use the canonical names.
func TestReferenceNames(t *testing.T) {
	data, err := os.ReadFile("../../testdata/gates/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			ID    string
			Kind  string
			Input struct {
				Policy map[string]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var known map[string]json.RawMessage
	full := strings.Replace(goodPolicyJSON, `"T_obs_ms"`, `"T_obs_max_ms":1800000,"T_obs_ms"`, 1)
	if err := json.Unmarshal([]byte(full), &known); err != nil {
		t.Fatal(err)
	}
	policies := 0
	for _, c := range file.Cases {
		if c.Kind != "decide" {
			continue
		}
		policies++
		for name := range c.Input.Policy {
			if _, ok := known[name]; !ok {
				t.Errorf("%s: %s is no name of a policy", c.ID, name)
			}
		}
	}
	if policies == 0 {
		t.Error("no case has a policy")
	}
}

// What parses marshals, and what it marshals to reads back to the same bytes.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte(goodPolicy), []byte(goodPolicyJSON))
	f.Fuzz(func(t *testing.T, yaml, data []byte) {
		if p, err := Parse("f", yaml); err == nil {
			out, err := p.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := gates.ReadPolicy(out); err != nil || again != p {
				t.Fatalf("%+v\nread again: %+v, %v", p, again, err)
			}
		}
		if p, err := gates.ReadPolicy(data); err == nil {
			if again, err := p.Marshal(); err != nil || !bytes.Equal(data, again) {
				t.Fatalf("%s\nmarshals as %s, %v", data, again, err)
			}
		}
	})
}

// Each byte of a canonical policy changed, and every prefix of it.
func TestMutations(t *testing.T) {
	for i := range goodPolicyJSON {
		if _, err := gates.ReadPolicy([]byte(goodPolicyJSON[:i])); err == nil {
			t.Errorf("a prefix of %d bytes is accepted", i)
		}
		for _, c := range []byte{goodPolicyJSON[i] ^ 1, goodPolicyJSON[i] ^ 0x20, goodPolicyJSON[i] ^ 0x80, ' ', 0, '-'} {
			data := []byte(goodPolicyJSON)
			data[i] = c
			if _, err := gates.ReadPolicy(data); err == nil && canon.Check(data) != nil {
				t.Errorf("%s is accepted", data)
			}
		}
	}
}
