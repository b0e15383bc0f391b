package verify_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/verify"
)

// FuzzBundle: whatever the bytes, there is an answer, the same twice; and it is
// VERIFIED for none but the tar that was sealed.
func FuzzBundle(f *testing.F) {
	good := tiny().Seal().Tar()
	f.Add(good)
	f.Add(testbundle.Zstd(good))
	seeds, err := filepath.Glob(vectorDir + "/*.tar.zst")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	sealed := map[string]bool{string(good): true}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 5000 { // and not a release: each input costs a verification
			f.Add(data)
		}
	}
	for _, d := range cases() {
		if d.exit == 0 && d.files != nil {
			sealed[string(d.files.Tar())] = true
		}
	}
	o := verify.Options{Keys: damage{}.trusted(f)}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := verify.Bytes(data, o)
		if r == nil {
			t.Fatal(err)
		}
		if r.Valid && !bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")) && !sealed[string(data)] {
			t.Errorf("another tar is VERIFIED\n%s", r.Summary())
		}
		first, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := verify.Bytes(data, o)
		if again == nil {
			t.Fatal(err)
		}
		if second, err := again.JSON(); err != nil || !bytes.Equal(first, second) {
			t.Errorf("two answers, %v:\n%s\n%s", err, first, second)
		}
		for _, c := range []byte(r.Summary()) {
			if c < ' ' && c != '\n' || c == 0x7f {
				t.Fatalf("the summary holds the byte %#x:\n%q", c, r.Summary())
			}
		}
	})
}
