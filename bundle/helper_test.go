package bundle

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// file is one file of a test bundle.
type file struct{ path, data string }

// small is a bundle that has every kind of padding: an empty file, one of a
// whole block, one of more.
var small = []file{
	{"manifest.json", `{"schema":"x"}`},
	{"sig/bundle.id.sig", strings.Repeat("s", 64)},
	{"SHA256SUMS", ""},
	{"artifacts/a", strings.Repeat("a", 512)},
	{"artifacts/b", strings.Repeat("b", 700)},
	{"audit/trail.jsonl", "line\n"},
}

// tarOf writes files as they come, in any order and with any path.
func tarOf(files ...file) []byte {
	var b bytes.Buffer
	for _, f := range files {
		h := header(f.path, int64(len(f.data)))
		b.Write(h[:])
		b.WriteString(f.data)
		b.Write(make([]byte, padding(int64(len(f.data)))))
	}
	b.Write(make([]byte, 1024))
	return b.Bytes()
}

func zstdOf(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := newZstdWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// dirOf makes a directory with files.
func dirOf(t testing.TB, files ...file) string {
	t.Helper()
	dir, err := tryDir(t, files)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// tryDir is dirOf for names that not every file system can hold.
func tryDir(t testing.TB, files []file) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return "", err
		}
		w, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return "", err // not there twice: another file goes by this name
		}
		if _, err := w.WriteString(f.data); errors.Join(err, w.Close()) != nil {
			return "", err
		}
	}
	return dir, nil
}

// outcome is all that a source says.
type outcome struct {
	files    []file
	findings []string
	err      error // nil at the end of a bundle that could be read through
}

func (o outcome) rejected() bool { return len(o.findings) > 0 || o.err != nil }

func (o outcome) String() string {
	return fmt.Sprintf("%d files, findings %q, error %v", len(o.files), o.findings, o.err)
}

func describe(f finding.Finding) string {
	path := ""
	if f.Path != nil {
		path = *f.Path
	}
	return fmt.Sprintf("%s %s %s: %s", f.Verdict, f.Code, path, f.Text)
}

// drain reads a source to its end and checks what holds for every source.
func drain(t testing.TB, open func(report func(finding.Finding)) Source) outcome {
	t.Helper()
	var o outcome
	src := open(func(f finding.Finding) { o.findings = append(o.findings, describe(f)) })
	defer src.Close()
	for {
		before := len(o.findings)
		e, err := src.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			var data []byte
			if data, err = io.ReadAll(e.Body); err == nil {
				if int64(len(data)) != e.Size {
					t.Errorf("%s: size %d, body of %d bytes", e.Path, e.Size, len(data))
				}
				if fault := CheckPath(e.Path); fault != nil {
					t.Errorf("a source lets %q out", e.Path)
				}
				o.files = append(o.files, file{e.Path, string(data)})
				continue
			}
		}
		o.err = err
		if errors.Is(err, ErrBroken) && len(o.findings) == before {
			t.Errorf("%v, and no finding", err)
		}
		if _, again := src.Next(); again == nil || again.Error() != err.Error() {
			t.Errorf("the error changes from %v to %v", err, again)
		}
		break
	}
	return o
}

func readBytes(t testing.TB, data []byte) outcome {
	t.Helper()
	return drain(t, func(report func(finding.Finding)) Source { return NewReader(bytes.NewReader(data), report) })
}

func readName(t testing.TB, name string) outcome {
	t.Helper()
	return drain(t, func(report func(finding.Finding)) Source {
		src, err := Open(name, report)
		if err != nil {
			t.Fatal(err)
		}
		return src
	})
}

func (o outcome) wantClean(t testing.TB, files []file) {
	t.Helper()
	if o.rejected() {
		t.Fatal(o)
	}
	if !slices.Equal(o.files, files) {
		t.Fatalf("files %v, want %v", paths(o.files), paths(files))
	}
}

// wantFinding asks for exactly one finding, with these parts.
func (o outcome) wantFinding(t testing.TB, parts ...string) {
	t.Helper()
	if len(o.findings) != 1 {
		t.Fatalf("%v, want one finding with %q", o, parts)
	}
	for _, part := range append(parts, "REJECT") {
		if !strings.Contains(o.findings[0], part) {
			t.Errorf("finding %q lacks %q", o.findings[0], part)
		}
	}
}

func paths(files []file) []string {
	var out []string
	for _, f := range files {
		out = append(out, f.path)
	}
	return out
}

// testKey seals with a fixed key. Its wrappers are stand-ins: this package does
// not look inside them.
type testKey struct{ private ed25519.PrivateKey }

func newTestKey() testKey {
	return testKey{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))}
}

func (k testKey) Public() sign.PublicKey {
	key, err := sign.ParsePublicKey(k.private.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	return key
}

func (k testKey) Seal(manifest, sums []byte, predicateType string) (sign.Signature, []byte, []byte, error) {
	id := sign.Sum(manifest)
	sig := sign.Signature(ed25519.Sign(k.private, id[:]))
	return sig, []byte(`{"predicateType":"` + predicateType + `"}`), []byte("-----BEGIN SSH SIGNATURE-----\n"), nil
}
