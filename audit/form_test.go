package audit

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

func TestLineBytes(t *testing.T) {
	m := goodRun(t)
	h, err := ParseHeader([]byte(m.lines[0]))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.Marshal(); err != nil || string(again) != m.lines[0] {
		t.Errorf("header %s, %v", again, err)
	}
	if sign.Sum(genesisBytes([]byte(m.lines[0]))) != h.H0 {
		t.Error("the genesis is not where it should be")
	}
	for i, line := range m.lines[1:] {
		r, err := ParseRecord([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := r.Marshal(); err != nil || string(again) != line {
			t.Errorf("event %d: %s, %v", i+1, again, err)
		}
		if sign.Sum(eventBytes([]byte(line))) != r.ID {
			t.Errorf("event %d is not where it should be", i+1)
		}
		if s := salvage([]byte(line)); s.h == nil || *s.h != r.H || s.sig == nil || *s.sig != r.Sig {
			t.Errorf("event %d: salvaged %+v", i+1, s)
		}
	}
}

// TestForm lists faults of an event and their errors.
func TestForm(t *testing.T) {
	null := canon.Value("null")
	long := strings.Repeat("a", 70_000)
	tests := []struct {
		name string
		edit func(*Event)
		want string // in the error; "" for none
	}{
		{"as it is", func(*Event) {}, ""},
		{"committed actor", func(e *Event) { e.Actor = Text{Commit: digest("x")} }, ""},
		{"committed rest", func(e *Event) {
			e.Notes, e.Path, e.Error = Text{Commit: digest("x")}, Text{Commit: digest("y")}, Text{Commit: digest("z")}
		}, ""},
		{"k 0", func(e *Event) { e.K = 0 }, "k is 0"},
		{"k negative", func(e *Event) { e.K = -1 }, "k is -1"},
		{"k beyond", func(e *Event) { e.K = 1 << 53 }, "integer"},
		{"no actor", func(e *Event) { e.Actor = Text{} }, "actor is missing"},
		{"empty actor", func(e *Event) { e.Actor = Txt("") }, "actor is missing"},
		{"no clock", func(e *Event) { e.Clock = "" }, "clock is empty"},
		{"clock", func(e *Event) { e.Clock = "a\tb" }, `clock "a\tb" has`},
		{"no run", func(e *Event) { e.Run.ID = "" }, "run.id is empty"},
		{"path", func(e *Event) { e.Path = Txt("é") }, `path "\u00e9" has`},
		{"status", func(e *Event) { e.Status = "passed" }, `status "passed"`},
		{"run.end without status", func(e *Event) { e.Action = ActionRunEnd }, "run.end has no status"},
		{"details null", func(e *Event) { e.Details = null }, "details is null"},
		{"details array", func(e *Event) { e.Details = canon.Value("[]") }, ""},
		{"details fraction", func(e *Event) { e.Details = canon.Value(`{"a":1.5}`) }, "integer"},
		{"details name", func(e *Event) { e.Details = canon.Value(`{"é":1}`) }, "member name"},
		{"items order", func(e *Event) { e.Inputs.Items = []Item{{URI: "b"}, {URI: "a"}} }, `inputs.items: uri "a" is out of order`},
		{"items twice", func(e *Event) { e.Outputs.Items = []Item{{URI: "a"}, {URI: "a"}} }, `outputs.items: uri "a" is out of order`},
		{"items unnamed", func(e *Event) { e.Outputs.Items = []Item{{}} }, "uri is empty"},
		{"items uri", func(e *Event) { e.Outputs.Items = []Item{{URI: "a\n"}} }, `uri "a\n" has`},
		{"string", func(e *Event) { e.Notes = Txt(long) }, "65536"},
		{"snapshot", func(e *Event) { e.TimeSeries.Snapshot = map[string]canon.Decimal{"a": "1.0"} }, "decimal"},
	}
	for action, ok := range map[string]bool{
		"a": true, "run.start": true, "a.b_c.d": true, "a._": true,
		"": false, ".": false, "a.": false, ".a": false, "a..b": false, "A": false, "a_b": false, "a1": false, "a b": false, "a.b-c": false, "é": false,
	} {
		want := "action"
		if ok {
			want = ""
		}
		tests = append(tests, struct {
			name string
			edit func(*Event)
			want string
		}{"action " + action, func(e *Event) { e.Action = action }, want})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := goodRun(t)
			r := m.recs[5]
			tt.edit(&r.E)
			line, err := r.Marshal()
			if err == nil {
				_, err = ParseRecord(line)
			} else if raw, e := canon.Marshal(r); e == nil {
				// Marshal must refuse what ParseRecord refuses.
				if _, e := ParseRecord(raw); e == nil {
					t.Errorf("Marshal says %v, ParseRecord accepts", err)
				}
			}
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			case err != nil && (strings.ContainsAny(err.Error(), "\n\t") || len(err.Error()) > 200):
				t.Errorf("not one short line: %q", err)
			}
		})
	}
}

// TestNotCanonical spells an event in ways that mean the same to a lenient reader.
func TestNotCanonical(t *testing.T) {
	line := goodRun(t).lines[6]
	replace := func(old, new string) string {
		out := strings.Replace(line, old, new, 1)
		if out == line {
			t.Fatalf("%q is not in the line", old)
		}
		return out
	}
	for name, bad := range map[string]string{
		"space":          replace(`"e":`, `"e": `),
		"leading space":  " " + line,
		"trailing space": line + " ",
		"CR":             line + "\r",
		"escape":         replace("ci", `\u0063i`),
		"slash":          replace("<plain>", `\u003cplain\u003e`),
		"number":         replace(`"k":6`, `"k":6.0`),
		"exponent":       replace(`"k":6`, `"k":6e0`),
		"twice":          replace(`"k":6`, `"k":6,"k":6`),
		"case":           replace(`"k":6`, `"K":6`),
		"missing":        replace(`"k":6,`, ``),
		"extra":          replace(`"k":6`, `"k":6,"l":7`),
		"null for none":  replace(`"k":6`, `"error":null,"k":6`),
		"empty items":    replace(`"inputs":{`, `"inputs":{"items":[],`),
		"time zone":      replace(`Z","verifier"`, `+00:00","verifier"`),
		"two values":     line + "{}",
		"BOM":            "\ufeff" + line,
		"empty":          "",
		"array":          "[]",
		"null":           "null",
		"too long":       line + strings.Repeat(" ", limits.Line),
	} {
		if _, err := ParseRecord([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		} else if len(err.Error()) > 200 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaFirst(t *testing.T) {
	m := goodRun(t)
	var schema *SchemaError
	later := strings.Replace(m.lines[0], `"purpose"`, `"purposes"`, 1)
	if _, err := ParseHeader([]byte(later)); errors.As(err, &schema) {
		t.Errorf("same schema: %v", err)
	}
	later = strings.Replace(later, "relseal/trail/v1", "relseal/trail/v2", 1)
	if _, err := ParseHeader([]byte(later)); !errors.As(err, &schema) || schema.Got != "relseal/trail/v2" {
		t.Errorf("header of a later schema: %v", err)
	}
	// The lines after it cannot be read, so that there is one finding.
	want(t, check(t, later+"\n{}\n{}\n", nil), "E_SCHEMA_MISMATCH@0")

	later = strings.Replace(m.lines[1], `"version":"1.0.0"`, `"version":"9"`, 1)
	if _, err := ParseRecord([]byte(later)); !errors.As(err, &schema) || schema.Got != "9" {
		t.Errorf("event of a later version: %v", err)
	}
}

// TestLineLimit finds the longest line by growing one.
func TestLineLimit(t *testing.T) {
	m := goodRun(t)
	r := m.recs[5]
	texts := make([]string, 17)
	fill := func(n int) []byte {
		for i := range texts {
			size := min(n, limits.JSONString)
			texts[i], n = strings.Repeat("x", size), n-size
		}
		r.E.Details = canon.Value(m.must(canon.Marshal(map[string]any{"texts": texts})))
		line, err := canon.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	room := limits.Line - len(fill(0))
	line := fill(room)
	if len(line) != limits.Line {
		t.Fatalf("%d bytes", len(line))
	}
	if _, err := r.Marshal(); err != nil {
		t.Error(err)
	}
	if _, err := ParseRecord(line); err != nil {
		t.Error(err)
	}
	line = fill(room + 1)
	if _, err := r.Marshal(); err == nil {
		t.Error("marshalled above the limit")
	}
	if _, err := ParseRecord(line); err == nil {
		t.Error("parsed above the limit")
	}
}

func FuzzLine(f *testing.F) {
	m := goodRun(f)
	for _, line := range m.lines {
		f.Add([]byte(line))
	}
	f.Add([]byte(`{"genesis":{"schema":"x"}}`))
	f.Add([]byte(`{"e":{"audit":{"schema":{"version":"x"}}}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if h, err := ParseHeader(line); err == nil {
			if again, err := h.Marshal(); err != nil || !bytes.Equal(again, line) {
				t.Errorf("header\n%s\n%s, %v", line, again, err)
			}
		}
		if r, err := ParseRecord(line); err == nil {
			if again, err := r.Marshal(); err != nil || !bytes.Equal(again, line) {
				t.Errorf("event\n%s\n%s, %v", line, again, err)
			}
			if e, err := canon.Marshal(r.E); err != nil || !bytes.Equal(e, eventBytes(line)) {
				t.Errorf("event is not where it should be: %v", err)
			}
		}
	})
}

// FuzzCheck asserts what holds of any input: no panic, ordered ranges, and a
// trail is closed without a finding only if it is the good one.
func FuzzCheck(f *testing.F) {
	good := goodRun(f).String()
	f.Add([]byte(good))
	f.Add([]byte(good[:2000]))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, trail []byte) {
		res := check(t, string(trail), nil)
		if len(res.found) == 0 && res.Closed && string(trail) != good {
			t.Error("another trail passes")
		}
		last := int64(0)
		for _, r := range res.Failing {
			if r.First <= last || r.Last < r.First {
				t.Errorf("ranges %v", res.Failing)
			}
			last = r.Last
		}
	})
}
