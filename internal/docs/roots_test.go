package docs

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A rootedVector is what a file of testdata/rooted says, a rootVector one of
// testdata/roots; their READMEs list the members.
type rootedVector struct {
	vector

	Roots   []string `json:"roots"`
	Ledger  string   `json:"ledger"`
	At      string   `json:"at"`
	Install bool     `json:"for_install"`
	History bool     `json:"history"`
}

type rootVector struct {
	Title  string   `json:"title"`
	Roots  []string `json:"roots"`
	Expect struct {
		Verdict string `json:"verdict"`
		Code    string `json:"code"`
		Last    int64  `json:"last"`
	} `json:"expect"`
}

// eachVector reads the vectors of a directory into v, one after the other.
func eachVector(t *testing.T, dir string, v any, do func(name string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "testdata", dir, "*.json"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d vectors in %s: %v", len(files), dir, err)
	}
	for _, file := range files {
		if err := json.Unmarshal([]byte(read(t, file)), v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		do(strings.TrimSuffix(filepath.Base(file), ".json"))
	}
}

// The second verifier reads every chain of roots as its vector expects.
func TestSecondRoots(t *testing.T) {
	var v rootVector
	eachVector(t, "roots", &v, func(name string) {
		defer func() { v = rootVector{} }()
		chain, code := pinRoot([]byte(v.Roots[0]))
		verdict, last := "VERIFIED", int64(0)
		if code != "" {
			verdict = "REJECT"
		} else {
			for _, text := range v.Roots[1:] {
				chain.add([]byte(text), "", 0)
			}
			for _, f := range chain.findings[:min(1, len(chain.findings))] {
				code, verdict = f.code, f.verdict
			}
			last = chain.last().version
		}
		if verdict != v.Expect.Verdict || code != v.Expect.Code || last != v.Expect.Last {
			t.Errorf("%s (%s): %s %s, last %d; want %s %s, %d", name, v.Title, verdict, code, last, v.Expect.Verdict, v.Expect.Code, v.Expect.Last)
		}
	})
}

// The second verifier answers every bundle under a root as its vector expects.
func TestSecondRooted(t *testing.T) {
	var v rootedVector
	eachVector(t, "rooted", &v, func(name string) {
		defer func() { v = rootedVector{} }()
		chain, code := pinRoot([]byte(v.Roots[0]))
		if code != "" {
			t.Fatalf("%s: the pinned root is %s", name, code)
		}
		for _, text := range v.Roots[1:] {
			chain.add([]byte(text), "", 0)
		}
		s := newSecond(t)
		s.rooted, s.install, s.history, s.later = chain, v.Install, v.History, v.Ledger
		if v.At != "" {
			at, err := time.Parse(time.RFC3339, v.At)
			if err != nil {
				t.Fatal(err)
			}
			s.now = at
		}
		if v.Ledger != "" {
			s.dates(v.Ledger)
		}
		s.bundle([]byte(read(t, filepath.Join(root, "testdata", "rooted", v.Bundle))))
		v.Name = name
		s.answers(t, v.vector)
	})
}
