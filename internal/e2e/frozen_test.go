package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

const frozen = repository + "/testdata/frozen"

// TestFrozen: what an earlier version sealed and verified stays VERIFIED. The
// folders are never changed; a new version adds one.
func TestFrozen(t *testing.T) {
	dirs, err := os.ReadDir(frozen)
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no frozen bundles in %s (%v)", frozen, err)
	}
	for _, d := range dirs {
		t.Run(d.Name(), func(t *testing.T) {
			dir := filepath.Join(frozen, d.Name())
			trusted, err := keys.LoadTrusted([]string{filepath.Join(dir, "release.pub")})
			if err != nil {
				t.Fatal(err)
			}
			for _, kind := range []string{"audit", "release"} {
				file := filepath.Join(dir, "demo."+kind+".tar.zst")
				now, err := verify.File(t.Context(), file, verify.Options{Keys: trusted})
				if now == nil {
					t.Fatal(err)
				}
				if now.Verdict != verify.Verified {
					t.Errorf("%s:\n%s", file, now.Summary())
					continue
				}
				then := storedReport(t, filepath.Join(dir, "report."+kind+".json"))
				if then.Verdict != now.Verdict || then.Valid != now.Valid || then.Schema != now.Schema ||
					*then.Bundle.ID != *now.Bundle.ID || *then.Bundle.Kind != *now.Bundle.Kind || *then.Bundle.Kind != kind {
					t.Errorf("%s is %s %s %s, then it was %s %s %s", file,
						now.Verdict, *now.Bundle.Kind, now.Bundle.ID, then.Verdict, *then.Bundle.Kind, then.Bundle.ID)
				}
			}
			noSecret(t, dir)
		})
	}
}

func storedReport(t *testing.T, name string) verify.Report {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var r verify.Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if r.Bundle.ID == nil || r.Bundle.Kind == nil {
		t.Fatalf("%s names no bundle", name)
	}
	return r
}

// noSecret: the key was thrown away, so nobody can seal another bundle that these
// tests would take for an old one.
func noSecret(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte("PRIVATE KEY")) {
			t.Errorf("%s holds a private key", e.Name())
		}
	}
}
