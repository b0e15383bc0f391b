package bundle

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
)

// gnuTar returns GNU tar, or skips.
func gnuTar(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"gtar", "tar"} {
		if out, err := exec.Command(name, "--version").Output(); err == nil && bytes.Contains(out, []byte("GNU tar")) {
			return name
		}
	}
	t.Skip("GNU tar is not installed")
	return ""
}

func TestTarIsGNUTars(t *testing.T) {
	tar := gnuTar(t)
	deep := strings.Repeat("d", 49) + "/" + strings.Repeat("e", 49) + "/" // leaves one byte
	files := []file{
		{"manifest.json", "{}"},
		{"sig/bundle.id.sig", strings.Repeat("s", 64)},
		{"SHA256SUMS", ""},
		{"artifacts/a+b=c~d@e_f-g", strings.Repeat("x", 511)},
		{"artifacts/exact", strings.Repeat("x", 1024)},
		{strings.Repeat("p", 100), "a name that fills its field"},
		{"zz/" + deep[:96] + "x", "a path that could be split"},
	}
	dir := dirOf(t, files...)
	args := []string{"--format=ustar", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--mode=0644", "-b1", "-C", dir, "-cf", "-"}
	want, err := exec.Command(tar, append(args, paths(files)...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	w := &tarWriter{w: &got}
	for _, f := range files {
		if err := w.add(f.path, int64(len(f.data)), strings.NewReader(f.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("our tar is not GNU tar's: first difference at byte %d", firstDifference(got.Bytes(), want))
	}
	readBytes(t, want).wantClean(t, files)
}

func TestHeaderOfLargestFile(t *testing.T) {
	const largest = 8<<30 - 1
	h := header("x", largest)
	path, size, fault := parseHeader(h)
	if fault != nil || path != "x" || size != largest {
		t.Errorf("header of a file of 8 GiB - 1 reads as %q, %d, %v", path, size, fault)
	}
	if string(h[124:136]) != "77777777777\x00" {
		t.Errorf("size field %q", h[124:136])
	}
}

// Every byte of a header changed, to every value: only the path may differ, and
// only together with the checksum.
func TestHeaderMutations(t *testing.T) {
	good := header("artifacts/a", 1234)
	for i := range good {
		for v := range 256 {
			h := good
			if h[i] == byte(v) {
				continue
			}
			h[i] = byte(v)
			if path, size, fault := parseHeader(h); fault == nil {
				t.Fatalf("byte %d set to %#x: still read, as %q of %d bytes", i, v, path, size)
			}
		}
	}
}

func TestTarMutations(t *testing.T) {
	good := tarOf(small...)
	inFile := make([]string, len(good)) // the path of the file that a byte belongs to
	at := 0
	for _, f := range small {
		at += 512
		for i := range len(f.data) {
			inFile[at+i] = f.path
		}
		at += len(f.data) + int(padding(int64(len(f.data))))
	}
	for i := range good {
		for _, flip := range []byte{1, 0x20, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			got := readBytes(t, bad)
			if inFile[i] == "" {
				if !got.rejected() {
					t.Errorf("byte %d flipped by %#x: no finding", i, flip)
				}
				continue
			}
			if got.rejected() {
				t.Fatalf("byte %d of the content of %s: %v", i, inFile[i], got)
			}
			for k, f := range got.files {
				if changed := f != small[k]; changed != (f.path == inFile[i]) {
					t.Errorf("byte %d of %s changed: %s differs: %v", i, inFile[i], f.path, changed)
				}
			}
		}
	}
}

func TestTarCut(t *testing.T) {
	good := tarOf(small...)
	for n := range good {
		if got := readBytes(t, good[:n]); len(got.findings) != 1 || !errors.Is(got.err, ErrBroken) {
			t.Fatalf("first %d bytes: %v", n, got)
		}
	}
	readBytes(t, good).wantClean(t, small)
}

func TestTarEnd(t *testing.T) {
	good := tarOf(small...)
	open := good[:len(good)-1024]
	zero := make([]byte, 512)
	one := tarOf(file{"z", "z"})
	for _, c := range []struct {
		name string
		tar  []byte
		want string
	}{
		{"no end", open, "ends without its two zero blocks"},
		{"one zero block", append(bytes.Clone(open), zero...), "ends with one zero block"},
		{"three zero blocks", append(bytes.Clone(good), zero...), "bytes follow the end"},
		{"one byte more", append(bytes.Clone(good), 0), "bytes follow the end"},
		{"a tar after it", append(bytes.Clone(good), good...), "bytes follow the end"},
		{"a zero block inside", append(append(bytes.Clone(open), zero...), one...), "in the middle"},
		{"nothing", nil, "empty"},
		{"zero blocks alone", make([]byte, 1024), "neither a ustar archive nor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			readBytes(t, c.tar).wantFinding(t, "E_FORMAT", c.want)
			if bytes.Contains(c.tar, []byte("ustar")) {
				readBytes(t, zstdOf(t, c.tar)).wantFinding(t, "E_FORMAT", c.want)
			}
		})
	}
}

func TestTarKinds(t *testing.T) {
	for flag, want := range map[byte]string{
		0: "before ustar", '1': "hard link", '2': "symbolic link", '3': "character device", '4': "block device",
		'5': "directory", '6': "FIFO", '7': "contiguous", 'x': "PAX", 'g': "PAX", 'L': "GNU long name", 'K': "GNU long name",
		'S': "sparse", 'V': `"V"`, 0x1b: `"\x1b"`,
	} {
		h := header("a/b", 0)
		h[156] = flag
		copy(h[148:], []byte{0, 0, 0, 0, 0, 0, 0, ' '})
		data := append(tarOf(file{"a/a", ""})[:512], h[:]...)
		readBytes(t, append(data, make([]byte, 1024)...)).wantFinding(t, "E_FORMAT a/b: the entry is", want)
	}
}

// What is wrong with one file is reported and the next one is read.
func TestTarFilesLeftOut(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []file
		want  string
		left  string
	}{
		{"traversal", []file{{"a", "1"}, {"../evil", "2"}, {"b", "3"}}, `"../evil": the path has a segment ".."`, "a b"},
		{"absolute", []file{{"/etc/passwd", "2"}, {"b", "3"}}, `"/etc/passwd": the path is absolute`, "b"},
		{"escape", []file{{"a\x1b[2J", "2"}, {"b", "3"}}, `"a\x1b[2J": `, "b"},
		{"no name", []file{{"", "2"}, {"b", "3"}}, "the path is empty", "b"},
		{"twice", []file{{"a", "1"}, {"a", "2"}, {"b", "3"}}, "a: the path occurs twice", "a b"},
		{"case", []file{{"A", "1"}, {"a", "2"}, {"b", "3"}}, "a: the path differs from A", "A b"},
		{"below a file", []file{{"a", "1"}, {"a/x", "2"}, {"b", "3"}}, "a/x: the path lies below", "a b"},
		{"homoglyph", []file{{"a", "1"}, {"\u0430", "2"}, {"b", "3"}}, `"\u0430": the path has a character`, "a b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := readBytes(t, tarOf(c.files...))
			got.wantFinding(t, "E_FORMAT", c.want)
			if left := strings.Join(paths(got.files), " "); left != c.left || got.err != nil {
				t.Errorf("left %q, %v; want %q", left, got.err, c.left)
			}
		})
	}
}

func TestTarOrder(t *testing.T) {
	shuffled := []file{small[0], small[3], small[1], small[2], small[4], small[5]}
	got := readBytes(t, tarOf(shuffled...))
	got.wantFinding(t, "E_FORMAT sig/bundle.id.sig: the file comes after artifacts/a")
	if len(got.files) != len(small) {
		t.Errorf("out of order: %v", got)
	}
}

func TestTarSizes(t *testing.T) {
	large := file{"sig/bundle.id.sig", strings.Repeat("x", 64<<10+1)}
	got := readBytes(t, tarOf(small[0], large, small[2]))
	got.wantFinding(t, "E_LIMIT sig/bundle.id.sig")
	if len(got.files) != 2 {
		t.Errorf("too large a file: %v", got)
	}
	ext := strings.Repeat("x", 600<<10)
	got = readBytes(t, tarOf(file{"sig/ext/a", ext}, file{"sig/ext/b", ext}, file{"z", ""}))
	got.wantFinding(t, "E_LIMIT sig/ext/b")

	var findings int
	src := NewReaderMax(bytes.NewReader(tarOf(small...)), 1000, func(f finding.Finding) {
		findings++
		if f.Code != "E_LIMIT" {
			t.Error(describe(f))
		}
	})
	for {
		if _, err := src.Next(); err != nil {
			if !errors.Is(err, ErrBroken) || findings != 1 {
				t.Errorf("above the limit for all files: %v, %d findings", err, findings)
			}
			break
		}
	}
}

func TestTarCount(t *testing.T) {
	if testing.Short() {
		t.Skip("100,001 files")
	}
	var b bytes.Buffer
	for i := range 100_001 {
		h := header("f"+strconv.Itoa(1_000_000+i), 0)
		b.Write(h[:])
	}
	b.Write(make([]byte, 1024))
	got := readBytes(t, zstdOf(t, b.Bytes()))
	got.wantFinding(t, "E_LIMIT", "more than 100000 files")
	if len(got.files) != 100_000 {
		t.Errorf("%d files", len(got.files))
	}
}

// The bodies of a tar are one stream: a body ends when Next is called.
func TestStaleBody(t *testing.T) {
	src := NewReader(bytes.NewReader(tarOf(small...)), func(f finding.Finding) { t.Error(describe(f)) })
	first, err := src.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Body.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("a body read after Next: %v", err)
	}
}

// An error of the medium is nobody's finding.
func TestInputError(t *testing.T) {
	broken := errors.New("input/output error")
	for _, data := range [][]byte{tarOf(small...), zstdOf(t, tarOf(small...))} {
		for n := range len(data) {
			src := NewReader(io.MultiReader(bytes.NewReader(data[:n]), failing{broken}), func(f finding.Finding) { t.Errorf("at %d: %s", n, describe(f)) })
			for {
				e, err := src.Next()
				if err == nil {
					_, err = io.Copy(io.Discard, e.Body)
				}
				if err != nil {
					if !errors.Is(err, broken) {
						t.Fatalf("at %d: %v", n, err)
					}
					break
				}
			}
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestTarWriterRefuses(t *testing.T) {
	add := func(w *tarWriter, path, data string) error {
		return w.add(path, int64(len(data)), strings.NewReader(data))
	}
	t.Run("path", func(t *testing.T) {
		if err := add(&tarWriter{w: io.Discard}, "../x", ""); err == nil {
			t.Error("a hostile path was written")
		}
	})
	t.Run("order", func(t *testing.T) {
		w := &tarWriter{w: io.Discard}
		if err := add(w, "b", ""); err != nil {
			t.Fatal(err)
		}
		if err := add(w, "a", ""); err == nil {
			t.Error("a came after b")
		}
		if err := add(w, "b", ""); err == nil {
			t.Error("b came twice")
		}
	})
	t.Run("short", func(t *testing.T) {
		w := &tarWriter{w: io.Discard}
		if err := w.add("a", 5, strings.NewReader("1234")); err == nil || w.end() == nil {
			t.Error("a file that shrank was written")
		}
	})
	t.Run("long", func(t *testing.T) {
		w := &tarWriter{w: io.Discard}
		if err := w.add("a", 3, strings.NewReader("1234")); err == nil || w.end() == nil {
			t.Error("a file that grew was written")
		}
	})
	t.Run("sealed", func(t *testing.T) {
		var b bytes.Buffer
		w := &tarWriter{w: &b}
		if err := errors.Join(add(w, "a", "1"), w.end()); err != nil {
			t.Fatal(err)
		}
		n := b.Len()
		if err := add(w, "b", "2"); !errors.Is(err, errSealed) {
			t.Errorf("adding after the end: %v", err)
		}
		if err := w.end(); !errors.Is(err, errSealed) {
			t.Errorf("ending twice: %v", err)
		}
		if b.Len() != n {
			t.Errorf("%d bytes were written after the end", b.Len()-n)
		}
	})
	t.Run("full", func(t *testing.T) {
		for n := range int64(2048) {
			w := &tarWriter{w: &fullDisk{left: n}}
			if err := errors.Join(add(w, "a", "1"), w.end()); !errors.Is(err, errFull) {
				t.Fatalf("a disk that is full after %d bytes: %v", n, err)
			}
		}
	})
}

var errFull = errors.New("no space left on device")

type fullDisk struct{ left int64 }

func (d *fullDisk) Write(p []byte) (int, error) {
	if int64(len(p)) > d.left {
		n := d.left
		d.left = 0
		return int(n), errFull
	}
	d.left -= int64(len(p))
	return len(p), nil
}

func FuzzTar(f *testing.F) {
	f.Add(tarOf(small...))
	f.Add(tarOf(file{"a", "1"}, file{"../b", "2"}))
	f.Add(tarOf(small...)[:1500])
	addArchives(f, "*.tar")
	f.Fuzz(func(t *testing.T, data []byte) {
		got := readBytes(t, data)
		if got.rejected() || bytes.HasPrefix(data, []byte(zstdMagic)) {
			return
		}
		if again := tarOf(got.files...); !bytes.Equal(again, data) {
			t.Errorf("accepted, and another tar of the same files exists")
		}
	})
}

// addArchives adds the small ones of testdata/archives.
func addArchives(f *testing.F, pattern string) {
	names, err := filepath.Glob(filepath.Join("..", "testdata", "archives", pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) <= 8<<10 {
			f.Add(data)
		}
	}
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// toolReads runs a program over a bundle and fails if it does not exit with 0.
func toolReads(t *testing.T, data []byte, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	bundle := filepath.Join(t.TempDir(), "b.tar.zst")
	if err := os.WriteFile(bundle, data, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(name, append(args, bundle)...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}
