package yamldoc_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/yamldoc"
)

func ExampleCanonical() {
	text := `# comments and layout do not matter
name: greetd
version: "1.10"
steps:
  - {id: build, run: [go, build]}
`
	data, err := yamldoc.Canonical("demo.yaml", []byte(text))
	fmt.Printf("%s %v\n", data, err)
	_, err = yamldoc.Canonical("demo.yaml", []byte("name: no\nversion: 1.10\n"))
	fmt.Println(err)
	// Output:
	// {"name":"greetd","steps":[{"id":"build","run":["go","build"]}],"version":"1.10"} <nil>
	// demo.yaml:1: name: no without quotes can be read as a boolean (write false, or quote it: "no")
	// demo.yaml:2: version: 1.10 without quotes can be read as a floating-point number, which is not exact (quote it: "1.10")
}

// One meaning, many spellings.
func TestSpellings(t *testing.T) {
	const want = `{"a":[1,"x y"],"b":{"c":null,"d":true},"e":"l1\nl2\n"}`
	for _, text := range []string{
		want,
		"a: [1, x y]\nb: {c: null, d: true}\ne: \"l1\\nl2\\n\"\n",
		"---\ne: |\n  l1\n  l2\nb:\n  d: true\n  c:\na:\n- 1\n- 'x y'\n",
		"a:\r\n  - 1\r\n  - x\r\n    y\r\nb: {\"d\": true, 'c': null}\r\ne: |\r\n  l1\r\n  l2\r\n",
		"# note\n\"a\": [ 1 , \"x\\x20y\" ] # note\n\n? b\n: {c: , d: true,}\ne: 'l1\n\n  l2\n\n  '\n...\n# end\n",
		"e: >\n  l1\n\n  l2\na: [1,\n  x\n  y]\nb:\n    c: null\n    d: true",
	} {
		got, err := yamldoc.Canonical("f", []byte(text))
		if err != nil || string(got) != want {
			t.Errorf("%q\n got %s %v\nwant %s", text, got, err, want)
		}
	}
}

// What parses has a canonical form, and that form, read as YAML, says the same.
func FuzzCanonical(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(vectors, "*.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 2000 {
			f.Add(data)
		}
	}
	f.Add([]byte("a: |\n  x\nb: >-\n  y\n\n  z\nc: \"\\x41\\u00e9\\U0001F600\\/\\_\\N\"\n? d\n: - - e\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := yamldoc.Canonical("f", data)
		if err != nil {
			checkFaults(t, "f", err)
			return
		}
		if err := canon.Check(got); err != nil {
			t.Fatalf("%s is not canonical: %v", got, err)
		}
		if !isYAML(got) {
			return
		}
		again, err := yamldoc.Canonical("f", got)
		if err != nil || !bytes.Equal(got, again) {
			t.Fatalf("%s\nread again: %s %v", got, again, err)
		}
	})
}

// isYAML reports whether canonical JSON is a document as well. It is not where it
// holds as itself a character that YAML escapes, where escapes made it longer
// than a document, or where a name is longer than YAML's limit of 1024.
func isYAML(data []byte) bool {
	if bytes.ContainsAny(data, "\u007f\u2028\u2029\ufeff\ufffe\uffff") || len(data) > limits.Document {
		return false
	}
	for r := rune(0x80); r < 0xa0; r++ {
		if bytes.ContainsRune(data, r) {
			return false
		}
	}
	for part := range strings.SplitSeq(string(data), `"`) {
		if len(part) > 500 {
			return false
		}
	}
	return true
}
