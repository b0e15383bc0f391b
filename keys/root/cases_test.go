package root_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/keys/root"
)

var update = flag.Bool("update", false, "write testdata/roots again")

const caseDir = "../../testdata/roots"

// A rootCase is one file of testdata/roots.
type rootCase struct {
	Schema string   `json:"schema"`
	Title  string   `json:"title"`
	Roots  []string `json:"roots"`
	Expect struct {
		Verdict string `json:"verdict"`
		Code    string `json:"code,omitempty"`
		Last    int64  `json:"last,omitempty"`
	} `json:"expect"`
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (r rooted) file(t *testing.T) []byte {
	c := rootCase{Schema: "relseal/root-vector/v1", Title: r.title}
	for _, data := range r.roots {
		c.Roots = append(c.Roots, string(data))
	}
	c.Expect.Verdict, c.Expect.Code, c.Expect.Last = r.answer(), r.want(), r.last
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (r rooted) answer() string {
	if r.verdict == "" {
		return "VERIFIED"
	}
	return r.verdict
}

func (r rooted) want() string {
	if r.verdict == "" || r.code != "" {
		return r.code
	}
	return "E_ROOT"
}

// TestCases holds that the files are those of the list, and the package to the files.
func TestCases(t *testing.T) {
	said, hostile := map[string]string{}, 0
	for _, r := range roots() {
		name := filepath.Join(caseDir, r.name+".json")
		said[r.name+".json"] = r.text
		if r.answer() == "REJECT" {
			hostile++
		}
		if *update {
			if err := os.WriteFile(name, r.file(t), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, r.file(t)) {
			t.Errorf("%s: not what the list makes (%v); go test ./keys/root -update", name, err)
		}
	}
	if len(said) < 40 || 2*hostile < len(said) {
		t.Errorf("%d cases, %d of them hostile", len(said), hostile)
	}
	files, err := filepath.Glob(caseDir + "/*.json")
	if err != nil || len(files) != len(said) {
		t.Fatalf("%d files of %d cases: %v", len(files), len(said), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) { runCase(t, file, said[filepath.Base(file)]) })
	}
}

func runCase(t *testing.T, file, said string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var c rootCase
	if err := d.Decode(&c); err != nil || c.Schema != "relseal/root-vector/v1" || len(c.Roots) == 0 {
		t.Fatalf("%s: %v", file, err)
	}
	verdict, code, text, last := walkCase(t, c.Roots)
	if verdict != c.Expect.Verdict || code != c.Expect.Code || last != c.Expect.Last || !strings.Contains(text, said) {
		t.Errorf("%s %s, last version %d, %q; want %s %s, %d, %q", verdict, code, last, text, c.Expect.Verdict, c.Expect.Code, c.Expect.Last, said)
	}
}

// walkCase pins the first root and walks over the others one by one, in their order.
func walkCase(t *testing.T, roots []string) (verdict, code, text string, last int64) {
	chain, err := root.Pin([]byte(roots[0]))
	if err != nil {
		e, ok := err.(*root.Error)
		if !ok {
			t.Fatalf("not an Error: %v", err)
		}
		return "REJECT", string(e.FindingCode()), err.Error(), 0
	}
	if _, err := root.Pin([]byte(roots[0])); err != nil {
		t.Fatal(err)
	}
	for _, data := range roots[1:] {
		var says struct{ Signed struct{ Version int64 } } // readable where the rest need not be
		if err := json.Unmarshal([]byte(data), &says); err != nil {
			t.Fatal(err)
		}
		_, findings := chain.Walk(map[string][]byte{"sig/root/" + root.FileName(says.Signed.Version): []byte(data)})
		if len(findings) > 0 {
			f := findings[0]
			return string(f.Verdict), string(f.Code), f.Text, chain.Last().Version()
		}
		if err := chain.Add([]byte(data)); err != nil {
			t.Fatalf("Walk takes what Add refuses: %v", err)
		}
	}
	return "VERIFIED", "", "", chain.Last().Version()
}
