package bundle

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
)

// The same bundle gives the same entries and findings in its three forms.
func TestFormsAgree(t *testing.T) {
	large := strings.Repeat("x", 64<<10+1)
	for _, files := range [][]file{
		small,
		{{"a", "1"}},
		{{"manifest.json", "{}"}, {"sig/x", ""}, {"A", ""}, {"a.b", ""}, {"a/b", ""}, {"a0", ""}},
		{{"manifest.json", "{}"}, {"sig/a", large}, {"b", ""}},
		{{"manifest.json", "{}"}, {"-x/a", ""}, {".hidden", ""}, {"A b", ""}, {"b/\x1b", ""}, {"b/c", ""}, {"\xff", ""}},
		{{"A", ""}, {"a", ""}, {"b", ""}},
		{{"A/x", ""}, {"a/y", ""}, {"b", ""}},
	} {
		slices.SortFunc(files, func(a, b file) int { return compare(a.path, b.path) })
		tar := tarOf(files...)
		dir, err := tryDir(t, files)
		if err != nil {
			t.Logf("left out: %v", err)
			continue
		}
		name := filepath.Join(t.TempDir(), "b")
		for _, data := range [][]byte{tar, zstdOf(t, tar)} {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
			want, got := readName(t, name), readName(t, dir)
			if !slices.Equal(got.files, want.files) || !slices.Equal(got.findings, want.findings) || got.err != nil || want.err != nil {
				t.Errorf("a directory says %v\na tar says %v", got, want)
			}
		}
	}
}

// Directories without files are no part of a bundle.
func TestEmptyDirectories(t *testing.T) {
	dir := dirOf(t, small...)
	for _, sub := range []string{"empty/er/est", "sig/by", ".git"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(sub)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	readName(t, dir).wantClean(t, small)
	readName(t, t.TempDir()).wantClean(t, nil)
}

func TestDirectoryLinks(t *testing.T) {
	outside := dirOf(t, file{"secret", "s"})
	for _, c := range []struct{ name, target string }{
		{"link to a file inside", "artifacts/a"},
		{"link to a file outside", filepath.Join(outside, "secret")},
		{"link to a directory outside", outside},
		{"link to a directory inside", "."},
		{"dangling link", "nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := dirOf(t, small...)
			if err := os.Symlink(c.target, filepath.Join(dir, "link")); err != nil {
				t.Skip(err)
			}
			got := readName(t, dir)
			got.wantFinding(t, "E_FORMAT link: the entry is a symbolic link")
			if got.err != nil || !slices.Equal(got.files, small) {
				t.Error(got)
			}
		})
	}
}

func TestDirectoryTooDeep(t *testing.T) {
	deep := strings.Repeat("d/", 50) // 100 bytes with a file's name missing
	dir := dirOf(t, file{"a", "1"}, file{deep + "x", "2"})
	readName(t, dir).wantFinding(t, "E_FORMAT", "the path has 101 bytes")
	dir = dirOf(t, file{"a", "1"}, file{deep + "dd/x", "2"})
	got := readName(t, dir)
	got.wantFinding(t, "E_FORMAT", strings.Repeat("d/", 50)+"dd", "no file below this directory")
	if len(got.files) != 1 {
		t.Error(got)
	}
}

// A file that is gone when its turn comes is not in the bundle: whether it had to be,
// the manifest says.
func TestDirectoryLoses(t *testing.T) {
	dir := dirOf(t, small...)
	got := drain(t, func(report func(finding.Finding)) Source {
		src, err := Open(dir, report)
		if err := errors.Join(err, os.Remove(filepath.Join(dir, "artifacts", "a"))); err != nil {
			t.Fatal(err)
		}
		return src
	})
	if got.err != nil || len(got.files) != len(small)-1 || len(got.findings) > 0 {
		t.Error(got)
	}
}

// Files are looked at when their turn comes; what is not the file that was
// listed is found out.
func TestDirectoryChanges(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, name string) error
	}{
		{"grown", func(t *testing.T, name string) error { return os.WriteFile(name, make([]byte, 2000), 0o644) }},
		{"shrunk", func(t *testing.T, name string) error { return os.WriteFile(name, nil, 0o644) }},
		{"replaced", func(t *testing.T, name string) error {
			other := name + ".new"
			return errors.Join(os.WriteFile(other, make([]byte, 512), 0o644), os.Rename(other, name))
		}},
		{"replaced by a link", func(t *testing.T, name string) error {
			return errors.Join(os.Remove(name), os.WriteFile(name+".new", make([]byte, 512), 0o644), os.Symlink("a.new", name))
		}},
		{"replaced by a directory", func(t *testing.T, name string) error {
			return errors.Join(os.Remove(name), os.Mkdir(name, 0o755))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := dirOf(t, small...)
			got := drain(t, func(report func(finding.Finding)) Source {
				src, err := Open(dir, report)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.change(t, filepath.Join(dir, "artifacts", "a")); err != nil {
					t.Skip(err)
				}
				return src
			})
			got.wantFinding(t, "E_FORMAT artifacts/a: the file changed while the directory was being read")
			if got.err != nil || len(got.files) != len(small)-1 {
				t.Error(got)
			}
		})
	}
}

func TestDirectoryChangesWhileRead(t *testing.T) {
	for _, c := range []struct {
		name string
		size int64
	}{{"cut", 100}, {"grown", 5000}} {
		t.Run(c.name, func(t *testing.T) {
			dir := dirOf(t, file{"a", strings.Repeat("x", 1000)}, file{"b", "1"})
			var findings []string
			src, err := Open(dir, func(f finding.Finding) { findings = append(findings, describe(f)) })
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			e, err := src.Next()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(filepath.Join(dir, "a"), c.size); err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, e.Body)
			if !errors.Is(err, ErrBroken) || len(findings) != 1 {
				t.Errorf("%v, findings %q", err, findings)
			}
			if next, err := src.Next(); err != nil || next.Path != "b" {
				t.Errorf("after it: %v, %v", next, err)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	report := func(f finding.Finding) { t.Error(describe(f)) }
	dir := dirOf(t, small...)
	if _, err := Open(filepath.Join(dir, "nothing"), report); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// The name that the caller gives may be a link; latest.tar.zst often is.
func TestOpenLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dirOf(t, small...), link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	src, err := Open(link, func(f finding.Finding) { t.Error(describe(f)) })
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, err := src.Next(); err != nil {
		t.Error(err)
	}
}

func TestClosed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "b.tar")
	if err := os.WriteFile(name, tarOf(small...), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{name, dirOf(t, small...)} {
		src, err := Open(name, func(f finding.Finding) { t.Error(describe(f)) })
		if err != nil {
			t.Fatal(err)
		}
		e, err := src.Next()
		if err := errors.Join(err, src.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Errorf("a body read after Close: %v", err)
		}
		if _, err := src.Next(); err == nil || err == io.EOF {
			t.Errorf("Next after Close: %v", err)
		}
	}
}

// Too many files are a finding before they are too much memory.
func TestDirectoryCount(t *testing.T) {
	g := gatekeeper{report: func(f finding.Finding) { t.Error(describe(f)) }, maxBytes: 1 << 40}
	for i := range 100_000 {
		if ok, err := g.admit("f"+strconv.Itoa(1_000_000+i), 1); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if _, err := g.admit("g", 1); err == nil {
		t.Error("one more than the limit was let out")
	}
	var n names
	for i := range 100_001 {
		fault := n.add("d" + strconv.Itoa(i) + "/x")
		if (fault != nil) != (i == 100_000) {
			t.Fatalf("directory %d: %v", i, fault)
		}
	}
}

// A bundle inside a bundle is read as it streams by; what is wrong with the
// outer one is reported by the outer one.
func TestNested(t *testing.T) {
	inner := string(zstdOf(t, tarOf(small...)))
	outer := tarOf(file{"manifest.json", "{}"}, file{"evidence/x", inner}, file{"z", ""})
	read := func(data []byte) (outside, inside outcome) {
		outside = drain(t, func(report func(finding.Finding)) Source {
			return NewReader(strings.NewReader(string(data)), report)
		})
		src := NewReader(strings.NewReader(string(data)), func(finding.Finding) {})
		defer src.Close()
		for {
			e, err := src.Next()
			if err != nil {
				return outside, inside
			}
			if e.Path == "evidence/x" {
				in := NewReader(e.Body, func(f finding.Finding) { inside.findings = append(inside.findings, describe(f)) })
				for inside.err == nil {
					var e *Entry
					if e, inside.err = in.Next(); inside.err == nil {
						inside.files = append(inside.files, file{path: e.Path})
					}
				}
				in.Close()
			}
		}
	}
	outside, inside := read(outer)
	if outside.rejected() || inside.err != io.EOF || len(inside.files) != len(small) || len(inside.findings) > 0 {
		t.Errorf("outside %v\ninside %v", outside, inside)
	}
	outside, inside = read(outer[:512+512+512+100])
	if len(outside.findings) != 1 || len(inside.findings) != 0 || !errors.Is(inside.err, ErrBroken) {
		t.Errorf("cut: outside %v\ninside %v", outside, inside)
	}
}
