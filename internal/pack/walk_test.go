package pack

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
)

// many writes an AuditBundle of n artifacts.
func many(t testing.TB, n int) string {
	r := testbundle.Demo(testbundle.NewKey("release"), "000102030405060708090a0b0c0d0e0f")
	for i := range n {
		r.Outputs[fmt.Sprintf("out/%06d", i)] = fmt.Sprint(i)
	}
	file := filepath.Join(t.TempDir(), "a.audit.tar.zst")
	if err := os.WriteFile(file, testbundle.Zstd(r.Seal().Tar()), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// A release is written in one reading of each run, however many artifacts it has.
func TestWalk(t *testing.T) {
	file := many(t, 300)
	in, err := readAudit(file)
	if err != nil {
		t.Fatal(err)
	}
	w := &walk{name: file}
	defer w.Close()
	copies := in.copies(w)
	read := func(i int) {
		t.Helper()
		body, err := copies[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(body)
		if err != nil || sign.Sum(data) != copies[i].Hash {
			t.Fatalf("%s: %q, %v", copies[i].Path, data, err)
		}
	}
	for i := range copies {
		read(i)
	}
	if len(copies) < 300 || w.begun != 1 {
		t.Errorf("%d files took %d readings", len(copies), w.begun)
	}
	read(0) // again
	read(7)
	if w.begun != 2 {
		t.Errorf("%d readings", w.begun)
	}
	if _, err := w.open("artifacts/none"); err == nil {
		t.Error("a file that is not there was opened")
	}
}

type signer struct{}

var packKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func (signer) Public() sign.PublicKey {
	key, err := sign.ParsePublicKey(packKey.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	return key
}

func (signer) Sign(message []byte) (sign.Signature, error) {
	return sign.Signature(ed25519.Sign(packKey, message)), nil
}

// Twice the artifacts take twice the time.
func BenchmarkCanary(b *testing.B) {
	for _, n := range []int{500, 1000, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			file := many(b, n)
			for b.Loop() {
				if _, err := Canary(io.Discard, Release{Product: "demo", Version: "1.0.0", Audit: []string{file}}, wrap.New(signer{})); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/artifact")
		})
	}
}
