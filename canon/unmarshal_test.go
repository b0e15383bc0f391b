package canon_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// doc has one of each kind of member that the formats use.
type doc struct {
	Schema string                   `json:"schema"`
	Count  int64                    `json:"count"`
	Open   bool                     `json:"open"`
	Commit *string                  `json:"commit"`
	Hash   sign.Digest              `json:"hash"`
	Limit  canon.Decimal            `json:"limit"`
	Files  []file                   `json:"files"`
	Scores map[string]canon.Decimal `json:"scores"`

	Product string      `json:"product,omitzero"`
	Root    *file       `json:"root,omitzero"`
	Items   []string    `json:"items,omitempty"`
	Details canon.Value `json:"details,omitzero"`
}

type file struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

const (
	zeroHash = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	plain    = `{"commit":null,"count":3,"files":[{"path":"a","size":1}],"hash":"` + zeroHash +
		`","limit":"0.5","open":true,"schema":"test/v1","scores":{"p99":"1.25"}}`
)

func TestUnmarshal(t *testing.T) {
	for _, in := range []string{
		plain,
		strings.Replace(plain, `"commit":null`, `"commit":""`, 1),
		strings.Replace(plain, `"files":[{"path":"a","size":1}]`, `"files":[]`, 1),
		strings.Replace(plain, `"count":3,`, `"count":3,"details":{"a":[1,{"b":"é\n"}]},`, 1),
		strings.Replace(plain, `"limit":"0.5",`, `"items":["x",""],"limit":"0.5",`, 1),
		strings.Replace(plain, `"schema"`, `"product":"greetd","root":{"path":"r","size":0},"schema"`, 1),
	} {
		var v doc
		if err := canon.Unmarshal([]byte(in), &v); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if out, err := canon.Marshal(v); err != nil || string(out) != in {
			t.Errorf("%s: marshals to %s, %v", in, out, err)
		}
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	const spelling = "not in canonical form: first difference at byte "
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown member", `"open":true`, `"open":true,"opens":1`, "/opens: unknown member"},
		{"unknown member, nested", `"size":1`, `"size":1,"x":[]`, "/files/0/x: unknown member"},
		{"case-folded name", `"count"`, `"Count"`, "/Count: unknown member"},
		{"case-folded name beside the right one", `"commit"`, `"Count":4,"commit"`, "/Count: unknown member"},
		{"name folded by Unicode", `"scores"`, `"ſcores"`, `byte 183, "/\u017fcores": member name has a character outside U+0020 to U+007E`},

		{"missing first member", `"commit":null,`, ``, "/commit: missing member"},
		{"missing member", `"hash":"` + zeroHash + `",`, ``, "/hash: missing member"},
		{"missing last member", `,"scores":{"p99":"1.25"}`, ``, "/scores: missing member"},
		{"missing member, nested", `,"size":1`, ``, "/files/0/size: missing member"},
		{"missing member before a nested end", `{"path":"a","size":1}`, `{}`, "/files/0/path: missing member"},
		{"missing decimal", `"limit":"0.5",`, ``, "/limit: no decimal number"},
		{"missing member between others", `"open":true,`, ``, "/open: missing member"},
		{"another document", plain, `{}`, "/limit: no decimal number"},

		{"null for a text", `"test/v1"`, `null`, "/schema: unexpected JSON null"},
		{"null for a number", `3`, `null`, "/count: unexpected JSON null"},
		{"null for a boolean", `true`, `null`, "/open: unexpected JSON null"},
		{"null for a digest", `"` + zeroHash + `"`, `null`, "/hash: unexpected JSON null"},
		{"null for a decimal", `"0.5"`, `null`, "/limit: no decimal number"},
		{"null for an array", `[{"path":"a","size":1}]`, `null`, "/files: unexpected JSON null"},
		{"null for an element", `{"path":"a","size":1}`, `null`, "/files/0: unexpected JSON null"},
		{"null for an object", `{"p99":"1.25"}`, `null`, "/scores: unexpected JSON null"},
		{"null for the document", plain, `null`, "/limit: no decimal number"},
		{"null for an optional text", `"schema"`, `"product":null,"schema"`, "/product: an optional member that is not set must be absent"},
		{"null for an optional object", `"schema"`, `"root":null,"schema"`, "/root: an optional member that is not set must be absent"},
		{"empty optional text", `"schema"`, `"product":"","schema"`, "/product: an optional member that is not set must be absent"},
		{"empty optional array", `"limit"`, `"items":[],"limit"`, "/items: an optional member that is not set must be absent"},

		{"number for a text", `"test/v1"`, `1`, "/schema: unexpected JSON number"},
		{"array for a text", `"test/v1"`, `[]`, "/schema: unexpected JSON array"},
		{"object for a text", `"test/v1"`, `{}`, "/schema: unexpected JSON object"},
		{"text for a number", `3`, `"3"`, "/count: unexpected JSON string"},
		{"boolean for a number", `3`, `false`, "/count: unexpected JSON boolean"},
		{"number for a boolean", `true`, `1`, "/open: unexpected JSON number"},
		{"number for a digest", `"` + zeroHash + `"`, `0`, "/hash: JSON value must be string type"},
		{"number for a decimal", `"0.5"`, `0`, "/limit: JSON value must be string type"},
		{"object for an array", `[{"path":"a","size":1}]`, `{}`, "/files: unexpected JSON object"},
		{"text for an object", `{"p99":"1.25"}`, `""`, "/scores: unexpected JSON string"},
		{"array for the document", plain, `[]`, "the document: unexpected JSON array"},
		{"text for the document", plain, `"x"`, "the document: unexpected JSON string"},

		{"digest in upper case", zeroHash, strings.ToUpper(zeroHash), `/hash: a digest is "sha256:" and 64 hexadecimal digits`},
		{"decimal with a surplus zero", `"1.25"`, `"1.250"`, `/scores/p99: "1.250" is not a canonical decimal`},
		{"decimal that is hostile text", `"1.25"`, `"\u001b[2J\u202e\u0000"`, `/scores/p99: "\x1b[2J\u202e\x00" is not a canonical decimal`},
		{"fraction", `3`, `3.0`, "byte 23, /count: number is not an integer within ±(2^53-1); write it as a string"},

		{"other order", `"commit":null,"count":3`, `"count":3,"commit":null`, spelling + "4"},
		{"white space", `"count":3`, `"count": 3`, spelling + "23"},
		{"white space in details", `"files"`, `"details":{"a": 1},"files"`, spelling + "40"},
		{"order in details", `"files"`, `"details":{"b":1,"a":2},"files"`, spelling + "37"},
		{"leading white space", `{"commit"`, ` {"commit"`, spelling + "0"},
		{"trailing newline", `"1.25"}}`, `"1.25"}}` + "\n", spelling + "207"},
		{"escaped text", `"test/v1"`, `"test\/v1"`, spelling + "178"},
		{"escaped name", `"count"`, `"\u0063ount"`, spelling + "16"},
		{"duplicate member", `"count":3`, `"count":3,"count":3`, "byte 25, /count: duplicate member name"},
		{"two documents", `"1.25"}}`, `"1.25"}}{}`, "byte 207: something follows the JSON value"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Count(plain, tt.old) == 0 {
				t.Fatalf("the document has no %s", tt.old)
			}
			in := strings.Replace(plain, tt.old, tt.new, 1)
			var v doc
			err := canon.Unmarshal([]byte(in), &v)
			if err == nil || err.Error() != tt.want {
				t.Fatalf("%v\nwant %s\n%s", err, tt.want, in)
			}
			if errors.Is(err, canon.ErrNotCanonical) != strings.HasPrefix(tt.want, "not in canonical form") {
				t.Errorf("ErrNotCanonical in %v", err)
			}
			readable(t, err)
		})
	}
}

// lax reads a text in any case, so it has several spellings of one value.
type lax string

func (l *lax) UnmarshalText(text []byte) error {
	*l = lax(strings.ToLower(string(text)))
	return nil
}

// A type that is too generous when it reads does not make a second encoding.
func TestUnmarshalComparesValues(t *testing.T) {
	var v struct {
		A lax    `json:"a"`
		B []bool `json:"b"`
	}
	err := canon.Unmarshal([]byte(`{"a":"X","b":[]}`), &v)
	if !errors.Is(err, canon.ErrNotCanonical) || err.Error() != "/a: not in canonical form" {
		t.Error(err)
	}
	readable(t, err)
}

// However long the names of a document are, an error about it is short.
func TestUnmarshalShortErrors(t *testing.T) {
	name := strings.Repeat("n/~", 20_000)
	for _, in := range []string{
		`{"` + name + `":1}`,
		`{"` + name + `":1,"` + name + `":1}`,
		`{"` + name + `":1.5}`,
		`{"` + name + `é":1}`,
		strings.Replace(plain, `"p99"`, `"`+name+`"`, 1) + "]",
		strings.Replace(plain, `"p99":"1.25"`, `"`+name+`":null`, 1),
		strings.Replace(plain, `"1.25"`, `"`+name+`"`, 1),
	} {
		var v doc
		err := canon.Unmarshal([]byte(in), &v)
		if err == nil {
			t.Errorf("accepted %.60s…", in)
			continue
		}
		readable(t, err)
	}
}

// No change of one byte and no prefix is read as the document was.
func TestUnmarshalMutations(t *testing.T) {
	for i := range plain {
		if err := canon.Unmarshal([]byte(plain[:i]), new(doc)); err == nil {
			t.Errorf("accepted the first %d bytes", i)
		} else {
			readable(t, err)
		}
		for _, change := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
			in := []byte(plain)
			in[i] ^= change
			var v doc
			if err := canon.Unmarshal(in, &v); err != nil {
				readable(t, err)
				continue
			}
			// Another document is fine, another spelling is not.
			if out, err := canon.Marshal(v); err != nil || !bytes.Equal(in, out) {
				t.Errorf("byte %d: accepted %s, would write %s, %v", i, in, out, err)
			}
		}
	}
}
