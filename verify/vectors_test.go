package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

var update = flag.Bool("update", false, "write testdata/vectors again")

const vectorDir = "../testdata/vectors"

// A vector is one file that says what to verify and what must come out.
type vector struct {
	Schema    string   `json:"schema"`
	Title     string   `json:"title"`
	Bundle    string   `json:"bundle"`
	Keys      []string `json:"keys"`
	Artifacts string   `json:"artifacts,omitempty"`
	Strict    bool     `json:"strict,omitempty"`
	NewerThan string   `json:"newer_than,omitempty"`
	Expect    expect   `json:"expect"`
}

type expect struct {
	Exit     int        `json:"exit"`
	Verdict  string     `json:"verdict,omitempty"`
	Error    string     `json:"error,omitempty"` // instead of a report: the code of the refusal
	Findings []expected `json:"findings"`
	Failing  [][2]int64 `json:"failing_events,omitempty"`
}

type expected struct {
	Code    string `json:"code"`
	Verdict string `json:"verdict"`
	Path    string `json:"path,omitempty"`
	K       *int64 `json:"k,omitempty"`

	Proves *finding.Proof `json:"proves,omitempty"`
}

func (e expected) String() string {
	s := e.Verdict + " " + e.Code
	if e.Path != "" {
		s += " " + e.Path
	}
	if e.K != nil {
		s += fmt.Sprintf(" event %d", *e.K)
	}
	if e.Proves != nil {
		s += fmt.Sprintf(" %+v", *e.Proves)
	}
	return s
}

// TestVectors holds verify to every vector, as a packed bundle and as a directory.
func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	files, err := filepath.Glob(vectorDir + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			v := readVector(t, file)
			for _, f := range v.Expect.Findings {
				seen[f.Code] = true
			}
			seen[v.Expect.Error] = true
			v.run(t)
		})
	}
	for _, code := range finding.Codes() {
		if !elsewhere[code] && !seen[string(code)] && !t.Failed() {
			t.Errorf("no vector has %s", code)
		}
	}
}

// elsewhere are the codes that no bundle by itself shows: those of a comparison
// with this machine, of a trust root, of a gate decision, and of what is known of a
// ledger. The tests of envlock, keys/root, gates and release have them.
var elsewhere = map[finding.Code]bool{
	finding.EnvDrift:   true,
	finding.KeyRetired: true, finding.KeyRevoked: true, finding.Threshold: true, finding.Root: true,
	finding.SampleSize: true, finding.LedgerOther: true, finding.LedgerUnknown: true, finding.RolledBack: true,
	finding.WindowConflict: true, finding.WindowOverlap: true, finding.WindowInvalid: true, finding.QueryCardinality: true,
	finding.MetricMissing: true, finding.MetricNonfinite: true, finding.MetricKind: true, finding.MetricBlackout: true,
}

func readVector(t *testing.T, file string) vector {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var v vector
	if err := d.Decode(&v); err != nil || v.Schema != "relseal/vector/v1" {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

func (v vector) run(t *testing.T) {
	r, err := v.verify(t)
	if v.Expect.Error != "" {
		if err == nil || !strings.Contains(err.Error(), v.Expect.Error) {
			t.Fatalf("keys loaded with %v, want %s", err, v.Expect.Error)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	v.compare(t, r)
}

// verify returns the report, or the error with which the keys are refused.
func (v vector) verify(t *testing.T) (*verify.Report, error) {
	t.Helper()
	o := verify.Options{Strict: v.Strict, Expect: verify.Expect{NewerThan: v.NewerThan}}
	var names []string
	for _, k := range v.Keys {
		names = append(names, filepath.Join(vectorDir, k))
	}
	var err error
	if o.Keys, err = keys.LoadTrusted(names); err != nil {
		return nil, err
	}
	if v.Artifacts != "" {
		if o.Artifacts, err = verify.Dir(filepath.Join(vectorDir, v.Artifacts)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := verify.File(context.Background(), filepath.Join(vectorDir, v.Bundle), o)
	if r == nil {
		t.Fatal(err)
	}
	return r, nil
}

func (v vector) compare(t *testing.T, r *verify.Report) {
	t.Helper()
	if string(r.Verdict) != v.Expect.Verdict || r.Valid != (v.Expect.Verdict == "VERIFIED") {
		t.Errorf("verdict %s, want %s", r.Verdict, v.Expect.Verdict)
	}
	var got []string
	for _, f := range r.Diag.Findings {
		e := expected{Code: string(f.Code), Verdict: string(f.Verdict), K: f.K, Proves: f.Proves}
		if f.Path != nil {
			e.Path = *f.Path
		}
		got = append(got, e.String())
	}
	var want []string
	for _, e := range v.Expect.Findings {
		want = append(want, e.String())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("findings:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	if fmt.Sprint(r.Diag.FailingEvents.Ranges) != fmt.Sprint(append([][2]int64{}, v.Expect.Failing...)) {
		t.Errorf("failing events %v, want %v", r.Diag.FailingEvents.Ranges, v.Expect.Failing)
	}
	if t.Failed() {
		t.Log("\n" + r.Summary())
	}
}

// A packed bundle, its tar and its directory give the same report.
func TestFormsAgree(t *testing.T) {
	for _, c := range cases() {
		if c.files == nil || c.err != "" {
			continue
		}
		dir := t.TempDir()
		for path, data := range c.files {
			name := filepath.Join(dir, "b", filepath.FromSlash(path))
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		tar := c.files.Tar()
		if err := errors.Join(os.WriteFile(dir+"/b.tar", tar, 0o644), os.WriteFile(dir+"/b.tar.zst", testbundle.Zstd(tar), 0o644)); err != nil {
			t.Fatal(err)
		}
		var first []byte
		for _, form := range []string{"b", "b.tar", "b.tar.zst"} {
			r, err := verify.File(context.Background(), filepath.Join(dir, form), verify.Options{Keys: c.trusted(t)})
			if r == nil {
				t.Fatalf("%s: %s: %v", c.name, form, err)
			}
			data, err := r.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = data
			}
			if !bytes.Equal(data, first) {
				t.Errorf("%s: %s gives another report than the directory:\n%s\n%s", c.name, form, data, first)
			}
		}
	}
}
