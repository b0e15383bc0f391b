package verify_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/verify"
)

// Against another copy, a finding names the members that differ, and no others.
func TestAgainst(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, f testbundle.Files) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, testbundle.Zstd(f.Tar()), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good := demo().Seal()
	reference, err := verify.LoadReference(write("good", good))
	if err != nil {
		t.Fatal(err)
	}
	edited := lines(good, func(l []string) []string {
		l[3] = strings.Replace(l[3], `"actor":"release"`, `"actor":"mallory"`, 1)
		l[3] = strings.Replace(l[3], `"notes":null`, `"notes":"x"`, 1)
		return l
	})
	release := demo().Release(releaseKey, nil)
	for path := range release {
		if strings.HasPrefix(path, "evidence/") {
			release[path] = testbundle.Zstd(edited.Tar())
		}
	}
	for _, c := range []struct {
		name  string
		files testbundle.Files
		want  string
	}{
		{"event", edited, `actor "release" "mallory", notes null "x"`},
		{"event of an embedded bundle", release, `actor "release" "mallory", notes null "x"`},
		{"envlock", replace(good, "envlock.json", "glibc", "glibd"), `env.libc.name "glibc" "glibd"`},
		{"manifest", replace(good, "manifest.json", `"product":"demo"`, `"product":"dem0"`), `product "demo" "dem0"`},
		{"card", replace(good, "cards/pipeline.json", `"seed":"42"`, `"seed":"43"`), `rng.seed "42" "43"`},
		{"genesis", lines(good, func(l []string) []string {
			l[0] = strings.Replace(l[0], `"product":"demo"`, `"product":"dem0"`, 1)
			return l
		}), `product "demo" "dem0"`},
	} {
		o := verify.Options{Keys: damage{}.trusted(t), Against: reference}
		r, err := verify.File(context.Background(), write("bad", c.files), o)
		if r == nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range r.Diag.Findings {
			for _, m := range f.Members {
				got = append(got, m.Name+" "+m.Want+" "+m.Got)
			}
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s: members %s, want %s\n%s", c.name, s, c.want, r.Summary())
		}
	}
}

// What is kept of another copy is bounded, whatever that unpacks to, and its events
// are found from the front to the back and back again.
func TestReferenceIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range 5 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.json", i)), make([]byte, 10<<20), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := verify.LoadReference(dir)
	if err != nil {
		t.Fatal(err)
	}
	if kept := r.Kept(); kept == 0 || kept > 32<<20 {
		t.Errorf("%d bytes are kept", kept)
	}
}
