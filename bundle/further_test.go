package bundle_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/testbundle"
)

// readAll returns the files of a bundle, which must be without findings.
func readAll(t *testing.T, data []byte) testbundle.Files {
	t.Helper()
	src := bundle.NewReader(bytes.NewReader(data), func(f finding.Finding) { t.Errorf("%+v", f) })
	files := testbundle.Files{}
	for {
		e, err := src.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[e.Path], err = io.ReadAll(e.Body); err != nil {
			t.Fatal(err)
		}
	}
}

// What is added stands in the bundle as if it had been there from the start.
func TestAddSigned(t *testing.T) {
	release, other := testbundle.NewKey("release"), testbundle.NewKey("other")
	files := testbundle.Demo(release, "000102030405060708090a0b0c0d0e0f").Seal()
	file := filepath.Join(t.TempDir(), "b.tar.zst")
	if err := os.WriteFile(file, testbundle.Zstd(files.Tar()), 0o644); err != nil {
		t.Fatal(err)
	}
	add, want := map[string][]byte{}, files.Clone()
	for name, data := range other.Signatures(files["manifest.json"], files["SHA256SUMS"], testbundle.AuditPredicate) {
		add["sig/by/"+other.HexID()+"/"+name] = data
		want["sig/by/"+other.HexID()+"/"+name] = data
	}
	add["sig/root/1.root.json"], want["sig/root/1.root.json"] = []byte("{}"), []byte("{}")
	var once bytes.Buffer
	id, err := bundle.AddSigned(&once, file, add)
	if err != nil || id.String() != testbundle.Digest(files["manifest.json"]) {
		t.Fatalf("%s, %v", id, err)
	}
	got := readAll(t, once.Bytes())
	if !bytes.Equal(got.Tar(), want.Tar()) {
		t.Errorf("files %v, want %v", got.Paths(), want.Paths())
	}

	if err := os.WriteFile(file, once.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var twice bytes.Buffer
	if _, err := bundle.AddSigned(&twice, file, add); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
		t.Errorf("adding the same again: %v", err)
	}
	add["sig/root/1.root.json"] = []byte("[]")
	if _, err := bundle.AddSigned(io.Discard, file, add); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("another file of the same name: %v", err)
	}
	for _, path := range []string{"artifacts/x", "sig/bundle.id.sig", "manifest.json"} {
		if _, err := bundle.AddSigned(io.Discard, file, map[string][]byte{path: nil}); err == nil || !strings.Contains(err.Error(), "sealed") {
			t.Errorf("%s: %v", path, err)
		}
	}
	damaged := bytes.Clone(once.Bytes())
	damaged[len(damaged)/2] ^= 1
	if err := os.WriteFile(file, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.AddSigned(io.Discard, file, nil); err == nil {
		t.Error("a damaged bundle is copied")
	}
}
