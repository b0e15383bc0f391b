package yamldoc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/limits"
)

func TestStructure(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "f:1: the document is empty"},
		{"comment alone", "# nothing\n", "f:1: the document is empty"},
		{"list", "- a\n", "f:1: the document is a list, not a mapping of members"},
		{"scalar", "\nhello\n", "f:2: the document is a scalar, not a mapping of members"},
		{"second document", "a: 1\n---\nb: 2\n", "f:2: a second document begins (keep one; a second belongs into a file of its own)"},
		{"empty second document", "a: 1\n---\n", "f:2: a second document begins (keep one; a second belongs into a file of its own)"},
		{"twice", "a: 1\nb: 1\n\"a\": 2\n", "f:3: a: is there twice, first on line 1"},
		{"nested twice", "m:\n  a: 1\n  a: 1\n", "f:3: m.a: is there twice, first on line 2"},
		{"anchor", "a: &x 1\n", "f:1: a: anchors are not used here (write the value out where it is needed)"},
		{"anchor on a mapping", "a: &x\n  b: 1\n", "f:1: a: anchors are not used here (write the value out where it is needed)"},
		{"alias of nothing", "a: *x\n", "f:1: unknown anchor 'x' referenced"},
		{"alias of a long name", "a: *" + strings.Repeat("x", 5000), "f:1: " + ("unknown anchor '" + strings.Repeat("x", 5000))[:200]},
		{"merge", "<<: {a: 1}\n", `f:1: ["<<"]: merge keys are not used here (write the members out)`},
		{"list as name", "? [a]\n: 1\n", "f:1: a member's name is a list, not a text"},
		{"no name", "? # nothing\n: 1\n", `f:1: [""]: a member without a name`},
		{"name outside ASCII", "ä: 1\n", `f:1: ["\u00e4"]: the name "\u00e4" has a character outside U+0020 to U+007E`},
		{"line break in a name", "\"a\\nb\": 1\n", `f:1: ["a\nb"]: the name "a\nb" has a character outside U+0020 to U+007E`},
		{"colon at the end", "a: [b::, c]\n", `f:1: a[0]: b:: without quotes can be read as a name (quote it: "b::")`},
		{"faults of all values", "a: 1.5\nb: [yes, {c: ~}]\n", "f:1: a: 1.5 without quotes can be read as a floating-point number, which is not exact (quote it: \"1.5\")\n" +
			"f:2: b[0]: yes without quotes can be read as a boolean (write true, or quote it: \"yes\")\n" +
			"f:2: b[1].c: ~ without quotes can be read as null (write null, or quote it: \"~\")"},
		{"too long", strings.Repeat("#", limits.Document+1), "f: 65537 bytes; a document has at most 65536"},
		{"text that grows", `a: "` + strings.Repeat(`\L`, 22_000) + `"`, "f:1: a: a text of more than 65536 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := Open("f", []byte(test.text)).Err(); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestTags(t *testing.T) {
	const want = "tags are not used here (quote a value to make it text)"
	tests := map[string]string{
		"a: !!str 1":      "a",
		"a: !!int 1":      "a",
		"a: !x 1":         "a",
		"a: !<x> 1":       "a",
		"a: ! 1":          "a",
		"a: ! 'x'":        "a",
		"a: !":            "a",
		"a: [! 1]":        "a[0]",
		"a:\n- ! x":       "a[0]",
		"! a: b":          "a",
		"a: {! b: c}":     "a.b",
		"a: [! b: c]":     "a[0].b",
		"a: !!map {b: c}": "a",
		"a: ! {b: c}":     "a",
		"a: !\n  b: c":    "a",
		"a: ! [b]":        "a",
		"a: ! |\n  x":     "a",
		"a: ! # comment":  "a",
		"a: [é, é, ! 1]":  "a[2]",
		"a: [\"é\", ! ]":  "a[1]",
	}
	for text, member := range tests {
		err := Open("f", []byte(text)).Err()
		if err == nil || !strings.Contains(err.Error(), ": "+member+": "+want) || strings.Count(err.Error(), want) != 1 {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"a: x!", "a: '!'", "a: |\n  ! x", "a: [x!, '! y']", "a: b # ! c", "a:\nb: x!", "{a: , b: '!'}"} {
		if err := Open("f", []byte(text)).Err(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestBytes(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"BOM", "\ufeffa: 1\nb: yes\n", "f:1: begins with a byte order mark (save the file as UTF-8 without BOM)\n" +
			"f:2: b: yes without quotes can be read as a boolean (write true, or quote it: \"yes\")"},
		{"BOM inside", "a: \"x\ufeffy\"\n", `f:1: byte order mark in the middle of the text (in double quotes write \uFEFF)`},
		{"not UTF-8", "a: 1\nb: \xff\n", "f:2: not valid UTF-8 (save the file as UTF-8)"},
		{"control", "a: 1\nb: \"x\x1b[31m\x07\"\n", `f:2: control character U+001B (in double quotes write \u001B)`},
		{"DEL", "a: \"\x7f\"\n", `f:1: control character U+007F (in double quotes write \u007F)`},
		{"next line", "a: x\u0085y\n", `f:1: U+0085 ends a line in YAML 1.1 and not in YAML 1.2 (in double quotes write \u0085)`},
		{"line separator", "a: 'x\u2028y'\n", `f:1: U+2028 ends a line in YAML 1.1 and not in YAML 1.2 (in double quotes write \u2028)`},
		{"old Mac", "a: 1\rb: x\r", "f:1: a carriage return without a line feed (end lines with LF or CR LF)"},
		{"directive", "%YAML 1.1\n---\na: no\n", "f:1: a line begins with %, which starts a directive (directives are not used here; indent or quote a text)\n" +
			"f:3: a: no without quotes can be read as a boolean (write false, or quote it: \"no\")"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := Open("f", []byte(test.text)).Err(); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	if got, err := Canonical("f", []byte("a: \"x\\u2028\\uFEFF\\x07\\0\\x7F\"\r\nb: 'c'\r\n")); err != nil || string(got) != "{\"a\":\"x\u2028\ufeff\\u0007\\u0000\x7f\",\"b\":\"c\"}" {
		t.Errorf("%s, %v", got, err)
	}
}

// A syntax error is reported on the line where it arises, wherever yaml.v3 says.
func TestSyntaxLines(t *testing.T) {
	good := "# comment\na: 1\n\nlist:\n  - x\n  - {b: c}\ntext: |\n  one\n  two\n"
	tests := []struct {
		bad  string
		text string
	}{
		{"b: c: d\n", "mapping values"},
		{"x:\n  b: 1\n c: 1\n", "did not find expected key"},
		{"b:\n\tc: 1\n", "cannot start any token"},
		{"b: 1\n- x\n", "did not find expected"},
		{"b: 'open\n", "unexpected end of stream"},
		{"b: [x, y\n", "did not find expected"},
		{"b: @x\n", "cannot start any token"},
		{"b: *x\n", "unknown anchor"},
		{"b: \"\\q\"\n", "unknown escape"},
		{"b: 1\njust text\n", "could not find expected ':'"},
	}
	for before := range 3 {
		for _, test := range tests {
			text := strings.Repeat(good[:strings.Index(good, "list")], before) + test.bad
			err := Open("f", []byte(text)).Err()
			lines := strings.Count(text, "\n")
			if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("f:%d: ", lines)) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%q on line %d: %v", test.bad, lines, err)
			}
		}
	}
}

func TestDepth(t *testing.T) {
	nested := func(n int) []byte {
		return []byte("a: " + strings.Repeat("[", n-1) + strings.Repeat("]", n-1))
	}
	if _, err := Canonical("f", nested(limits.JSONDepth)); err != nil {
		t.Error(err)
	}
	if err := Open("f", nested(limits.JSONDepth+1)).Err(); err == nil || !strings.HasSuffix(err.Error(), "nested deeper than 64") {
		t.Error(err)
	}
}

// Shapes that are deep or many, of which a reader could make many faults, or an hour.
func TestHostile(t *testing.T) {
	const n = limits.Document
	fill := func(s string) string { return strings.Repeat(s, n/len(s)) }
	var keys, indent strings.Builder
	for i := 0; keys.Len() < n-10; i++ {
		fmt.Fprintf(&keys, "k%d: ~\n", i)
	}
	for i := 0; indent.Len() < n-1000; i++ {
		indent.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	texts := []string{
		fill("["), fill("{a: "), fill("- "), fill("? "), "{" + fill("? ")[1:], "a: [" + fill("x,")[4:],
		"a: [" + fill("!,")[4:], "a: [" + fill("yes,")[4:], fill("#\n"), fill("- #\n"), fill("a: 1 #\n"), fill("---\n"), fill("\x01\n"), fill("%\n"),
		"a: 1\n" + fill("\n")[5:], "a: \"" + fill("\n")[4:], "a: |\n" + fill(" x\n")[6:], "a: [" + fill("[],")[4:], fill("a: "),
		fill("- &a a\n"), "- &a a\n" + fill("- *a\n")[7:], fill("%TAG !a! b\n"), keys.String(), indent.String(),
		strings.Repeat("["+strings.Repeat("k", 900)+": ", 60) + strings.Repeat("~,", 4000),
		strings.Repeat("{"+strings.Repeat("k", 900)+": ", 60) + "[" + strings.Repeat("~,", 2000) + "]" + strings.Repeat("}", 60),
	}
	for _, text := range texts {
		err := Open("f", []byte(text[:min(n, len(text))])).Err()
		if err != nil && len(err.Error()) > 1_000_000 {
			t.Errorf("%.20q: %d bytes of faults", text, len(err.Error()))
		}
	}
}
