package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/verify"
)

const rootedDir = "../testdata/rooted"

// A rootedVector says what to verify under which trust root, and what must come out.
type rootedVector struct {
	Schema  string   `json:"schema"`
	Title   string   `json:"title"`
	Bundle  string   `json:"bundle"`
	Roots   []string `json:"roots"`            // the pinned version, then what the caller has beside it
	Ledger  string   `json:"ledger,omitempty"` // that the caller has
	At      string   `json:"at,omitempty"`
	Install bool     `json:"for_install,omitempty"`
	History bool     `json:"history,omitempty"`
	Expect  expect   `json:"expect"`

	Grades map[string]string `json:"grades,omitempty"` // of claims that the report must make
}

// A rooted is a vector before it is written.
type rooted struct {
	name, title string
	files       testbundle.Files
	roots       [][]byte
	ledger      []byte
	at          string
	install     bool
	history     bool
	exit        int
	findings    []expected
	failing     [][2]int64
	grades      map[string]string
}

func (r rooted) vector() rootedVector {
	v := rootedVector{Schema: "relseal/rooted-vector/v1", Title: r.title, Bundle: r.name + ".tar.zst", Ledger: string(r.ledger), At: r.at, Install: r.install, History: r.history, Grades: r.grades}
	for _, data := range r.roots {
		v.Roots = append(v.Roots, string(data))
	}
	v.Expect = expect{Exit: r.exit, Verdict: damage{exit: r.exit}.verdict(), Findings: r.findings, Failing: r.failing}
	if v.Expect.Findings == nil {
		v.Expect.Findings = []expected{}
	}
	return v
}

// TestRooted holds that the files are those of the list, and verify to the files.
func TestRooted(t *testing.T) {
	names := map[string]bool{}
	for _, r := range rootedCases() {
		names[r.name] = true
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(r.vector()); err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{r.name + ".json": b.Bytes(), r.name + ".tar.zst": testbundle.Zstd(r.files.Tar())} {
			file := filepath.Join(rootedDir, name)
			if *update {
				if err := os.WriteFile(file, data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: not what the list makes (%v); go test ./verify -run TestRooted -update", file, err)
			}
		}
	}
	files, err := filepath.Glob(rootedDir + "/*.json")
	if err != nil || len(files) != len(names) {
		t.Fatalf("%d files of %d cases: %v", len(files), len(names), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) { runRooted(t, file) })
	}
}

func runRooted(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var v rootedVector
	if err := d.Decode(&v); err != nil || v.Schema != "relseal/rooted-vector/v1" {
		t.Fatalf("%s: %v", file, err)
	}
	chain, err := root.Pin([]byte(v.Roots[0]))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range v.Roots[1:] {
		r, err := root.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		chain.Offer(r.Version(), []byte(text))
	}
	o := verify.Options{Root: chain, Install: v.Install, History: v.History}
	if v.At != "" {
		if o.At, err = time.Parse(time.RFC3339, v.At); err != nil {
			t.Fatal(err)
		}
	}
	if v.Ledger != "" {
		authority, _ := chain.Walk(nil)
		if o.Dates, err = verify.ReadDatings(strings.NewReader(v.Ledger), authority); err != nil {
			t.Fatal(err)
		}
		if o.Later, err = verify.ReadLater(strings.NewReader(v.Ledger), verify.LedgerKeys(authority)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := verify.File(context.Background(), filepath.Join(filepath.Dir(file), v.Bundle), o)
	if r == nil {
		t.Fatal(err)
	}
	vector{Expect: v.Expect}.compare(t, r)
	asOf := ""
	if v.At != "" {
		asOf = "as of " + audit.NewTime(o.At).String() + ": "
	}
	grades := map[string]string{}
	for _, c := range r.Claims {
		if c.ID == "bundle.authorized" && (!strings.HasPrefix(c.Text, asOf) || asOf == "" && strings.HasPrefix(c.Text, "as of")) {
			t.Errorf("asked about %q, it claims: %s", v.At, c.Text)
		}
		if v.Grades[c.ID] != "" && grades[c.ID] != verify.Stated {
			grades[c.ID] = c.Grade
		}
	}
	if !maps.Equal(grades, v.Grades) {
		t.Errorf("grades of claims: %v, want %v", grades, v.Grades)
	}
	if r.Root != nil && (r.Root.At != nil) != (v.At != "") {
		t.Errorf("asked about %q, it says %v", v.At, r.Root.At)
	}
	if r.Root == nil || r.Root.Pinned != chain.First().Version() {
		t.Errorf("the report says of the root: %+v", r.Root)
	}
}
