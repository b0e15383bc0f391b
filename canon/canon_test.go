package canon_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
)

func TestCanonicalize(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"white space", " { \"a\" :\t[ 1 , true ] \r\n} ", `{"a":[1,true]}`},
		{"order", `{"b":{"d":1,"c":2},"a":[{"z":1,"y":2}]}`, `{"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}`},
		// The order is of names, not of their escaped spelling.
		{"order of names that are escaped", `{"]":7,"\\":6,"[":5,"#":4,"\"":3,"!":2," ":1,"":0}`, `{"":0," ":1,"!":2,"\"":3,"#":4,"[":5,"\\":6,"]":7}`},
		{"order of case", `{"a":1,"B":2,"aa":3,"A":4}`, `{"A":4,"B":2,"a":1,"aa":3}`},
		{"short escapes", `"\u0008\u0009\u000A\u000c\u000D\u0022\u005C\/"`, `"\b\t\n\f\r\"\\/"`},
		{"lower-case escapes", `"\u001F\u0000\u007F"`, `"\u001f\u0000` + "\x7f" + `"`},
		{"no HTML escapes", `"\u003c\u2028>&"`, "\"<\u2028>&\""},
		{"surrogate pair", `"\uD834\udd1e"`, `"𝄞"`},
		{"not normalised", `["A\u030a","\u00c5"]`, "[\"A\u030a\",\"\u00c5\"]"},
		{"noncharacter", `"\uFFFF"`, "\"\uffff\""},
		{"largest integer", `9007199254740991`, `9007199254740991`},
		{"smallest integer", ` -9007199254740991`, `-9007199254740991`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := canon.Canonicalize([]byte(tt.in))
			if err != nil || string(got) != tt.want {
				t.Fatalf("got %q, %v; want %q", got, err, tt.want)
			}
			if err := canon.Check(got); err != nil {
				t.Errorf("Check of the result: %v", err)
			}
			if err := canon.Check([]byte(tt.in)); tt.in != tt.want && !errors.Is(err, canon.ErrNotCanonical) {
				t.Errorf("Check of the input: %v", err)
			}
		})
	}
}

func TestCanonicalizeRefuses(t *testing.T) {
	const number = "number is not an integer within ±(2^53-1); write it as a string"
	const name = "member name has a character outside U+0020 to U+007E"
	for _, tt := range []struct{ in, want string }{
		{``, "no JSON value"},
		{" \n", "no JSON value"},
		{`{} {}`, "byte 3: something follows the JSON value"},
		{"{}\x00", "byte 2: something follows the JSON value"},
		{`[1`, "byte 2: ends in the middle of a JSON value"},
		{`[1,]`, "byte 2: invalid character ',' at start of value"},
		{"\ufeff{}", `byte 0: invalid character '\ufeff' at start of value`},
		{"[\"a\nb\"]", `byte 3, /0: invalid character '\n' in string (expecting non-control character)`},
		{"[\"\xff\"]", "byte 2, /0: invalid UTF-8"},
		{"{\"\xff\":1}", "byte 2: invalid UTF-8"},
		{`["\ud800"]`, "byte 2, /0: invalid surrogate pair `\\ud800\"]` in string"},
		{`{"a":{"b":1,"b":2}}`, "byte 12, /a/b: duplicate member name"},
		{`{"b":1,"\u0062":2}`, "byte 7, /b: duplicate member name"},
		{`{"a": 1.5}`, "byte 6, /a: " + number},
		{`[1,1e0]`, "byte 3, /1: " + number},
		{`-0`, "byte 0: " + number},
		{`9007199254740992`, "byte 0: " + number},
		{`-9007199254740992`, "byte 0: " + number},
		{`18446744073709551617`, "byte 0: " + number},
		{`{"é":1}`, `byte 1, "/\u00e9": ` + name},
		{`{"a":1, "\n\u202e":1}`, `byte 8, "/\n\u202e": ` + name},
		{`{"\u007f":1}`, `byte 1, "/\x7f": ` + name},
	} {
		_, err := canon.Canonicalize([]byte(tt.in))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q: %v\nwant %s", tt.in, err, tt.want)
			continue
		}
		readable(t, err)
	}
}

func TestLimits(t *testing.T) {
	nested := func(open, shut string, n int) string { return strings.Repeat(open, n) + "0" + strings.Repeat(shut, n) }
	text := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	const d, s = limits.JSONDepth, limits.JSONString
	for _, tt := range []struct {
		name, in string
		ok       bool
	}{
		{"arrays at the limit", nested("[", "]", d), true},
		{"arrays above", nested("[", "]", d+1), false},
		{"objects at the limit", nested(`{"":`, "}", d), true},
		{"objects above", nested(`{"":`, "}", d+1), false},
		{"string at the limit", text(s), true},
		{"string above", text(s + 1), false},
		{"name at the limit", "{" + text(s) + ":0}", true},
		{"name above", "{" + text(s+1) + ":0}", false},
		{"decoded bytes count", `"` + strings.Repeat(`\u0041`, s) + `"`, true},
		{"bytes count, not characters", `"` + strings.Repeat("é", s/2+1) + `"`, false},
		{"empty arrays above", strings.Repeat("[", d+1) + strings.Repeat("]", d+1), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := canon.Canonicalize([]byte(tt.in))
			if (err == nil) != tt.ok {
				t.Fatal(err)
			}
			if err != nil {
				readable(t, err)
			}
		})
	}
}

// What is nested too deep is refused at the bracket that is one too many, long before its end.
func TestRefusesEarly(t *testing.T) {
	for _, open := range []string{"[", `{"":`, "[\n", "[{\"a\":"} {
		in := []byte(strings.Repeat(open, limits.MiB/len(open)))
		at := 0 // of the bracket that is one too many
		for depth := 0; ; at++ {
			if in[at] == '[' || in[at] == '{' {
				if depth++; depth > limits.JSONDepth {
					break
				}
			}
		}
		err := canon.Check(in)
		if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("byte %d, ", at)) || !strings.Contains(err.Error(), "nested deeper than 64") {
			t.Errorf("%q…: %v, want byte %d", open, err, at)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	type doc struct {
		A string        `json:"a"`
		V canon.Value   `json:"v,omitzero"`
		D canon.Decimal `json:"d"`
	}
	for _, tt := range []struct {
		name string
		v    any
		want string
	}{
		{"invalid UTF-8", doc{A: "x\xff", D: "0"}, "byte 5, /a: invalid UTF-8"},
		{"unset decimal", doc{}, "/d: no decimal number"},
		{"malformed decimal", doc{D: "1.0"}, `/d: "1.0" is not a canonical decimal`},
		{"malformed value", doc{V: canon.Value(`{"x"`), D: "0"}, "byte 16, /v/x: ends in the middle of a JSON value"},
		{"fraction in a value", doc{V: canon.Value(`{"x":1.5}`), D: "0"}, "byte 17, /v/x: number is not an integer within ±(2^53-1); write it as a string"},
		{"float", map[string]float64{"x": 0.5}, "byte 5, /x: number is not an integer within ±(2^53-1); write it as a string"},
		{"large integer", []int64{1 << 53}, "byte 1, /0: number is not an integer within ±(2^53-1); write it as a string"},
		{"unprintable name", map[string]int{"\x00": 1}, `byte 1, "/\x00": member name has a character outside U+0020 to U+007E`},
		{"no JSON for the type", map[string]any{"f": func() {}}, "/f: func() cannot be marshalled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := canon.Marshal(tt.v)
			if err == nil || err.Error() != tt.want {
				t.Fatalf("got %q, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

// readable holds an error to what a terminal, a log and a report can show: one
// line of moderate length, printable, and nothing of Go or its libraries.
func readable(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if len(text) > 500 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("not one short printable line: %.600q", text)
	}
	for _, leak := range []string{"json:", "jsontext", "Go ", "canon.", "sign.", "strconv"} {
		if strings.Contains(text, leak) {
			t.Errorf("error speaks of %q: %s", leak, text)
		}
	}
}

func ExampleCanonicalize() {
	data, err := canon.Canonicalize([]byte("{\"size\": 12, \"name\": \"\\u0061\"}\n"))
	fmt.Printf("%s %v\n", data, err)
	// Output: {"name":"a","size":12} <nil>
}
