package pack

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

const vectors = "../../testdata/vectors/"

// verified returns a copy of a vector in a directory of its own, and the answer
// about it.
func verified(t *testing.T, vector string) (name string, report *verify.Report, o verify.Options) {
	t.Helper()
	trusted, err := keys.LoadTrusted([]string{vectors + "keys/release.pub"})
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(t.TempDir(), "bundle.tar.zst")
	replace(t, name, vector)
	o.Keys = trusted
	report, err = verify.File(t.Context(), name, o)
	if err != nil {
		t.Fatal(err, report)
	}
	return name, report, o
}

func replace(t *testing.T, name, vector string) {
	t.Helper()
	data, err := os.ReadFile(vectors + vector + ".tar.zst")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// empty holds that nothing, hidden or not, is left beside a bundle.
func empty(t *testing.T, name string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the bundle: %v, %v", entries, err)
	}
}

// A bundle that changes after it was verified is not unpacked: neither what the
// manifest pins nor what stands outside of it.
func TestUnpackChanged(t *testing.T) {
	for _, other := range []string{
		"good-release",      // another manifest
		"event-edited",      // the same, and another file
		"file-missing",      // a file fewer
		"signature-changed", // another signature
		"container-cut",
	} {
		name, report, o := verified(t, "good-audit")
		replace(t, name, other)
		dir := filepath.Join(filepath.Dir(name), "out")
		_, err := Unpack(t.Context(), name, dir, report, o)
		if err == nil || !strings.Contains(err.Error(), "changed after it was verified") {
			t.Errorf("%s: %v", other, err)
		}
		empty(t, name)
	}
}

// A file that was added since is not part of what was verified, and is left out.
func TestUnpackAdded(t *testing.T) {
	name, report, o := verified(t, "good-audit")
	replace(t, name, "file-added")
	dir := filepath.Join(filepath.Dir(name), "out")
	done, err := Unpack(t.Context(), name, dir, report, o)
	if err != nil || len(done.Left) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, done.Left[0])); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s was written: %v", done.Left[0], err)
	}
}

// appears answers for every artifact, and puts a directory in the way.
type appears struct{ dir string }

func (a appears) Has(sign.Digest, int64) (bool, error) {
	return true, os.MkdirAll(filepath.Join(a.dir, "mine"), 0o755)
}

// Until it is whole, the directory has another name, and after an error none.
func TestUnpackFails(t *testing.T) {
	name, report, o := verified(t, "good-audit")
	dir := filepath.Join(filepath.Dir(name), "out")
	if _, err := Unpack(t.Context(), filepath.Join(dir, "none"), dir, report, o); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no bundle: %v", err)
	}
	empty(t, name)

	// The destination appears while the bundle is being unpacked.
	replace(t, name, "artifact-missing")
	report, err := verify.File(t.Context(), name, o)
	if report == nil {
		t.Fatal(err)
	}
	report.Verdict = verify.Verified // what it is once somebody has the artifact
	o.Artifacts = appears{dir}
	if _, err := Unpack(t.Context(), name, dir, report, o); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a directory in the way: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the directory in the way now holds %v, %v", entries, err)
	}
}
