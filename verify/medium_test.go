package verify_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

// unpacked returns a directory with the files of a bundle.
func unpacked(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	src, err := bundle.Open(name, func(f finding.Finding) { t.Fatal(f) })
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for {
		e, err := src.Next()
		if err == io.EOF {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(e.Path))
		data, err := io.ReadAll(e.Body)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMedium lets each call to the medium fail in turn. Whoever could not read a bundle
// knows nothing about it: there is an error that says so, and no report.
func TestMedium(t *testing.T) {
	const vectors = "../testdata/vectors/"
	known, err := keys.LoadTrusted([]string{vectors + "keys/release.pub"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		form string
		of   func(*testing.T, string) string
	}{
		{"tar.zst", func(_ *testing.T, name string) string { return name }},
		{"directory", unpacked},
	} {
		for _, vector := range []string{"good-audit", "good-release"} {
			t.Run(vector+" as "+tt.form, func(t *testing.T) {
				name := tt.of(t, vectors+vector+".tar.zst")
				artifacts := t.TempDir()
				if err := os.WriteFile(filepath.Join(artifacts, "x"), []byte("x"), 0o644); err != nil {
					t.Fatal(err)
				}
				check := func() (*verify.Report, error) {
					o := verify.Options{Keys: known}
					if o.Artifacts, err = verify.Dir(artifacts); err != nil {
						t.Fatal(err)
					}
					return verify.File(context.Background(), name, o)
				}
				good, err := check()
				if good == nil {
					t.Fatal(err)
				}
				for _, fault := range []error{syscall.EIO, syscall.EACCES, syscall.EMFILE, regular.ErrShort} {
					for nth := 1; ; nth++ {
						calls := 0
						undo := regular.Inject(func(op, _ string) error {
							if calls++; calls == nth {
								return fault
							}
							return nil
						})
						report, err := check()
						undo()
						if calls < nth {
							if report == nil || report.Verdict != good.Verdict {
								t.Fatalf("without a fault: %v, %v", report, err)
							}
							if nth < 3 {
								t.Errorf("%d calls to the medium", nth-1)
							}
							break
						}
						if report != nil {
							t.Fatalf("%v at call %d is the verdict %s: %v", fault, nth, report.Verdict, report.Diag.Findings)
						}
						if !errors.Is(err, fault) {
							t.Errorf("%v at call %d is the error %v", fault, nth, err)
						}
					}
				}
			})
		}
	}
}

// What is not there is told from what cannot be read: a file that the manifest lists and
// the directory has not is a finding.
func TestMediumMissing(t *testing.T) {
	const vectors = "../testdata/vectors/"
	known, err := keys.LoadTrusted([]string{vectors + "keys/release.pub"})
	if err != nil {
		t.Fatal(err)
	}
	dir := unpacked(t, vectors+"good-audit.tar.zst")
	undo := regular.Inject(func(op, path string) error {
		if op == "open" && path == bundle.TrailPath {
			return syscall.ENOENT
		}
		return nil
	})
	defer undo()
	report, err := verify.File(context.Background(), dir, verify.Options{Keys: known})
	if report == nil {
		t.Fatal(err)
	}
	if f := report.Diag.Findings; report.Verdict != verify.Reject || f[0].Code != finding.FileMissing || *f[0].Path != bundle.TrailPath {
		t.Errorf("%s %v", report.Verdict, f)
	}
}
