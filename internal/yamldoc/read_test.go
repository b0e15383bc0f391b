package yamldoc

import (
	"reflect"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
)

// A config has one member of each type.
type config struct {
	Name    string
	Note    string
	Args    []string
	Env     map[string]string
	Mode    string
	Count   int64
	Ratio   canon.Decimal
	Wait    int64
	On      bool
	Sub     string
	Items   []string
	Value   Scalar
	Choices []Scalar
}

func readConfig(text string) (config, error) {
	d := Open("c.yaml", []byte(text))
	m := d.Root()
	if !m.Schema("relseal/test/v1") {
		return config{}, d.Err()
	}
	c := config{
		Name: m.Text("name"), Note: m.Optional().AnyText("note"), Args: m.Texts("args"), Env: m.Optional().TextMap("env"),
		Mode: m.Enum("mode", "fast", "safe"), Count: m.Int("count"), Ratio: m.Decimal("ratio"), Wait: m.Duration("wait_for"),
		On: m.Optional().Bool("on_start"), Sub: m.Map("sub").Text("x"), Value: m.Optional().Scalar("value"), Choices: m.Optional().Scalars("choices"),
	}
	for _, item := range m.Optional().Maps("items") {
		c.Items = append(c.Items, item.Text("id"))
	}
	if c.Name == "bad" {
		d.Report(document.At("name"), "is bad", "")
		d.Report(document.At("wait_for_ms"), "is bad too", "")
		d.Report(document.At("sub", "y", 3), "is not there", "")
		d.Report(document.At("items", 0, "id"), "is bad", "")
	}
	return c, d.Finish()
}

const goodConfig = `schema: relseal/test/v1
name: demo
args: [a, "", "1"]
env: {A: x, B_ms: ""}
mode: fast
count: 3
ratio: "2.50"
wait_for: 1h30m
on_start: true
sub: {x: w}
items: [{id: p}, {id: q}]
value: 5
choices: [1, a, true]
`

func TestRead(t *testing.T) {
	got, err := readConfig(goodConfig)
	want := config{
		Name: "demo", Args: []string{"a", "", "1"}, Env: map[string]string{"A": "x", "B_ms": ""}, Mode: "fast", Count: 3, Ratio: "2.5",
		Wait: 5_400_000, On: true, Sub: "w", Items: []string{"p", "q"}, Value: Scalar{Integer, "5"},
		Choices: []Scalar{{Integer, "1"}, {Text, "a"}, {Bool, "true"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	minimal := "schema: relseal/test/v1\nname: x\nargs: []\nmode: safe\ncount: -1\nratio: 2\nwait_for: 0s\nsub: {x: w}\nnote: null\nitems: null\n"
	if got, err := readConfig(minimal); err != nil || got.Ratio != "2" || got.Items != nil || got.Env != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadFaults(t *testing.T) {
	replace := func(old, new string) string {
		if !strings.Contains(goodConfig, old) {
			t.Fatalf("nothing like %q", old)
		}
		return strings.Replace(goodConfig, old, new, 1)
	}
	tests := []struct{ name, text, want string }{
		{"no schema", "name: demo\n", "c.yaml:1: schema: is missing; want relseal/test/v1"},
		{"other schema", "schema: relseal/other/v1\nx: 1\n", `c.yaml:1: schema: want relseal/test/v1, got "relseal/other/v1"`},
		{"near schema", "schema: relseal/tset/v1\n", `c.yaml:1: schema: want relseal/test/v1, got "relseal/tset/v1" (did you mean "relseal/test/v1"?)`},
		{"other version", "schema: relseal/test/v2\n", `c.yaml:1: schema: want relseal/test/v1, got "relseal/test/v2" (another version of this format; it needs another release of relseal)`},
		{"schema no text", "schema: 1\n", `c.yaml:1: schema: want relseal/test/v1, got the integer 1 (quote it: "1")`},
		{"syntax alone", "schema: relseal/test/v1\n\nname: [\n", "c.yaml:3: did not find expected node content (check the indentation and the closing of brackets and quotes above)"},
		{"missing", replace("name: demo\n", ""), "c.yaml:1: name: is missing; want a text"},
		{"misspelt", replace("name:", "nmae:"), "c.yaml:1: name: is missing; want a text\nc.yaml:2: nmae: unknown member (did you mean \"name\"?)"},
		{"unknown", replace("sub: {x: w}", "sub: {x: w, other: z}"), "c.yaml:10: sub.other: unknown member (known: x)"},
		{"case", replace("sub: {x: w}", "sub: {X: w}"), "c.yaml:10: sub.x: is missing; want a text\nc.yaml:10: sub.X: unknown member (did you mean \"x\"?)"},
		{"nothing", replace("name: demo", "name:"), "c.yaml:2: name: has no value; want a text"},
		{"nothing for an optional", replace("on_start: true", "on_start:"), "c.yaml:9: on_start: has no value; want true or false"},
		{"null", replace("name: demo", "name: null"), `c.yaml:2: name: want a text, got null (quote it: "null")`},
		{"empty text", replace("name: demo", `name: ""`), "c.yaml:2: name: is empty"},
		{"integer for text", replace("name: demo", "name: 12"), `c.yaml:2: name: want a text, got the integer 12 (quote it: "12")`},
		{"boolean for text", replace(`"1"]`, "true]"), `c.yaml:3: args[2]: want a text, got true (quote it: "true")`},
		{"float for text", replace("name: demo", "name: 1.10"), `c.yaml:2: name: 1.10 without quotes can be read as a floating-point number, which is not exact (quote it: "1.10")`},
		{"text for list", replace(`args: [a, "", "1"]`, "args: a"), `c.yaml:3: args: want a list of texts, got the text "a" (write [a])`},
		{"list for text", replace("name: demo", "name: [demo]"), "c.yaml:2: name: want a text, got a list"},
		{"mapping in a list", replace(`"1"]`, "{b: c}]"), "c.yaml:3: args[2]: want a text, got a mapping"},
		{"nothing in a list", replace(`args: [a, "", "1"]`, "args:\n  - a\n  -\n"), "c.yaml:5: args[1]: want a text, got nothing"},
		{"no choice", replace("mode: fast", "mode: fsat"), `c.yaml:5: mode: want one of fast, safe, got the text "fsat" (did you mean "fast"?)`},
		{"text for integer", replace("count: 3", `count: "3"`), `c.yaml:6: count: want an integer, got the text "3" (write 3 without quotes)`},
		{"float for decimal", replace(`ratio: "2.50"`, "ratio: 2.50"), `c.yaml:7: ratio: 2.50 without quotes can be read as a floating-point number, which is not exact (quote it: "2.50")`},
		{"word for decimal", replace(`ratio: "2.50"`, "ratio: half"), `c.yaml:7: ratio: want a decimal such as "0.05"; "half" is not a decimal number`},
		{"bare duration", replace("wait_for: 1h30m", "wait_for: 90"), "c.yaml:8: wait_for: want a duration such as 30m, got the integer 90 (add the unit: 90s)"},
		{"bad duration", replace("wait_for: 1h30m", "wait_for: 1.5h"), `c.yaml:8: wait_for: "1.5h" is not a duration (write it as 2h, 30m, 90s or 500ms)`},
		{"text for boolean", replace("on_start: true", "on_start: always"), `c.yaml:9: on_start: want true or false, got the text "always"`},
		{"quoted boolean", replace("on_start: true", `on_start: "true"`), `c.yaml:9: on_start: want true or false, got the text "true" (write true without quotes)`},
		{"text for mapping", replace("sub: {x: w}", "sub: w"), `c.yaml:10: sub: want a mapping, got the text "w"`},
		{"text for an item", replace("{id: q}", "q"), `c.yaml:11: items[1]: want a mapping, got the text "q"`},
		{"missing in an item", replace("{id: q}", "{}"), "c.yaml:11: items[1].id: is missing; want a text"},
		{"list for scalar", replace("value: 5", "value: [5]"), "c.yaml:12: value: want a text, a number or a boolean, got a list"},
		{"null in scalars", replace("[1, a, true]", "[1, null]"), "c.yaml:13: choices[1]: want a text, a number or a boolean, got null"},
		{"meaning", replace("demo", "bad"), "c.yaml:2: name: is bad\nc.yaml:8: wait_for: is bad too\nc.yaml:10: sub.y[3]: is not there\nc.yaml:11: items[0].id: is bad"},
		{"meaning of what was not read", strings.NewReplacer("demo", "bad", "1h30m", "soon", "{id: p}", "p", "{x: w}", "1").Replace(goodConfig),
			"c.yaml:2: name: is bad\n" + `c.yaml:8: wait_for: "soon" is not a duration (write it as 2h, 30m, 90s or 500ms)` + "\n" +
				"c.yaml:10: sub: want a mapping, got the integer 1\nc.yaml:11: items[0]: want a mapping, got the text \"p\""},
		{"anchored name", replace("name: demo", "&x name: demo"), "c.yaml:2: name: anchors are not used here (write the value out where it is needed)"},
		{"strange name", replace("sub: {x: w}", `sub: {x: w, "a b": 1}`), `c.yaml:10: sub["a b"]: unknown member (known: x)`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := readConfig(test.text); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]int64{
		"0s": 0, "0ms": 0, "500ms": 500, "1s": 1000, "90s": 90_000, "30m": 1_800_000, "1h30m": 5_400_000, "1d": 86_400_000,
		"1d2h3m4s5ms": 93_784_005, "9223372036854ms": 9223372036854, "007s": 7000,
	} {
		if got, err := ParseDuration(s); err != nil || got != want {
			t.Errorf("%s: %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "0", "1", "s", "-1s", "+1s", "1.5h", "1us", "1 s", "1m1h", "1s1s", "1S", "9223372036855ms", "99999999999999999999s", "106752d", "1s ", "１s"} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("%q: %d", s, got)
		}
	}
}
