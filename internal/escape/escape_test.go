package escape

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"a b\tc\nd \\u":          "a b\tc\nd \\u",
		"\x1b[2J\a":              `\u001b[2J\u0007`,
		"\x7f\u0085\u009b":       `\u007f\u0085\u009b`,
		"\u202eevil\u2066\u200b": `\u202eevil\u2066\u200b`,
		"\U000e0041":             `\udb40\udc41`,
		"\xff\uFFFD":             `\xff` + "\uFFFD",
		"ÄΩ語":                    "ÄΩ語",
		"\r\u2028":               `\u000d\u2028`,
	} {
		if got := Text(in); got != want {
			t.Errorf("%q is written as %q, want %q", in, got, want)
		}
		if got := Text(want); got != want {
			t.Errorf("%q, written again, is %q", want, got)
		}
	}
}

// FuzzText: nothing hidden comes out, in whatever parts it is written, and the value of
// JSON stays.
func FuzzText(f *testing.F) {
	f.Add("\u202e\x1b[2J\xff", 1)
	f.Add("語\U000e0041", 2)
	f.Fuzz(func(t *testing.T, s string, at int) {
		got := Text(s)
		for _, r := range got {
			if r != '\n' && r != '\t' && (!unicode.IsPrint(r) || r == utf8.RuneError && !strings.Contains(s, "\uFFFD")) {
				t.Fatalf("%q is written as %q", s, got)
			}
		}
		if at < 0 || at > len(s) || !utf8.ValidString(s) {
			return
		}
		var w bytes.Buffer
		e := Writer(&w)
		e.Write([]byte(s[:at]))
		e.Write([]byte(s[at:]))
		if w.String() != got {
			t.Fatalf("in two parts %q, at once %q", w.String(), got)
		}
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal([]byte(Text(buf.String())), &back); err != nil || back != s {
			t.Fatalf("%q came back as %q, %v", s, back, err)
		}
	})
}

var formula = regexp.MustCompile(`^\s*[=+\-@＝＋－＠]`)

// FuzzCell: no cell is a formula, whichever separator its reader takes, and the text
// comes back.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"=1", "x;=1+1;y", "x\t=1+1\ty", "a\n=1", `x;"=1";y`, "'=1", ";'=1", "a\r=1", "\t=1", "x;＝1", `;"""+1`} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		row := `"` + strings.ReplaceAll(Cell(a), `"`, `""`) + `","` + strings.ReplaceAll(Cell(b), `"`, `""`) + "\"\r\n"
		for _, sep := range ",;\t" {
			r := csv.NewReader(strings.NewReader(row))
			r.Comma, r.LazyQuotes, r.FieldsPerRecord = sep, true, -1
			rows, _ := r.ReadAll()
			for _, cells := range rows {
				for _, c := range cells {
					if formula.MatchString(strings.TrimLeft(c, `"`)) {
						t.Fatalf("%q and %q: separated by %q a cell is %q", a, b, sep, c)
					}
				}
			}
		}
		back := strings.TrimPrefix(Cell(a), "'")
		if strings.HasPrefix(Cell(a), "'") {
			back = "\x00" + back // what stood at the start is done
		}
		back = strings.TrimPrefix(regexp.MustCompile("([;\t\n])'").ReplaceAllString(back, "$1"), "\x00")
		if back != Text(a) {
			t.Fatalf("%q is the cell %q and comes back as %q", a, Cell(a), back)
		}
	})
}

func TestJSONText(t *testing.T) {
	for _, text := range []string{`{"a":"x;=1"}`, `{"a":"x;\"=1;-2"}`, `-1`, `{"b":"x;y"}`, `{"c":";'="}`} {
		got := Cell(JSONText(text))
		var a, b any
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(got, "'")), &b); err != nil {
			t.Errorf("%s is the cell %s: %v", text, got, err)
		}
		again, _ := json.Marshal(b)
		if want, _ := json.Marshal(a); !bytes.Equal(again, want) {
			t.Errorf("%s is the cell %s of another value", text, got)
		}
		for _, part := range strings.Split(got, ";") {
			if strings.TrimLeft(part, `\"`) != part || formula.MatchString(part) {
				t.Errorf("%s is the cell %s", text, strconv.Quote(got))
			}
		}
	}
}

func TestMessage(t *testing.T) {
	for in, want := range map[string]string{
		"see [here](http://evil.test)\x1b": `see \[here\](http://evil.test)\u001b`,
		`a\[b\\]c\d`:                       `a\\\[b\\\\\]c\d`,
	} {
		if got := Message(in); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// What stands in a sentence of ours cannot end its quotation, nor look like an escape
// that it is not, also where the sentence is escaped as a line.
func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"out/demo": `out/demo`, "demo-1.0.0": `demo-1.0.0`, "": `""`,
		"out/demo of x, signed by 2 of 2 keys": `"out/demo of x, signed by 2 of 2 keys"`,
		`a", signed by r1`:                     `"a\u0022, signed by r1"`,
		"two\nlines\x1b":                       `"two\nlines\x1b"`,
		`a\`:                                   `"a\\"`,
	} {
		if got := Word(in); got != want {
			t.Errorf("%q is written as %s, want %s", in, got, want)
		}
		if line := Line(Quote(in)); strings.Count(line, `"`) != 2 || !strings.HasSuffix(line, `"`) {
			t.Errorf("%q is not one quotation in %s", in, line)
		}
		if got := Sentence("it is " + want + "\n"); got != "it is "+want+`\n` {
			t.Errorf("in a sentence %s is written as %s", want, got)
		}
	}
	if got := Words([]string{"a", "b c"}); got != `a, "b c"` {
		t.Errorf("a list is %s", got)
	}
}
