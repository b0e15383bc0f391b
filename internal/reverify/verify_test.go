package reverify_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/reverify"
	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/verify"
)

var (
	holder  = testbundle.NewKey("alice")
	release = testbundle.NewKey("release")
)

// archive makes n bundles in a directory; of those whose number is in bad, the
// artifact was changed.
func archive(t testing.TB, n int, bad map[int]bool) ([]reverify.File, verify.Options) {
	t.Helper()
	dir := t.TempDir()
	good := testbundle.Demo(release, "000102030405060708090a0b0c0d0e0f").Seal()
	damaged := good.Clone()
	damaged["artifacts/out/demo"] = []byte("another artifact\n")
	packed := map[bool][]byte{false: testbundle.Zstd(good.Tar()), true: testbundle.Zstd(damaged.Tar())}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.audit.tar.zst", i)), packed[bad[i]], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found, err := reverify.Find([]string{dir}, nothing)
	files := found.Bundles
	if err != nil || len(files) != n {
		t.Fatalf("%d files: %v", len(files), err)
	}
	roles := testbundle.M{"audit": testbundle.RootRole(1, testbundle.Grant(release, nil))}
	chain, err := root.Pin(testbundle.SignRoot(testbundle.Root(1, roles, 1, []testbundle.Key{holder}, release), holder))
	if err != nil {
		t.Fatal(err)
	}
	return files, verify.Options{Root: chain}
}

// However many are verified at a time, the results come in the order of the files.
func TestVerifyInOrder(t *testing.T) {
	files, o := archive(t, 60, map[int]bool{7: true, 31: true})
	for _, workers := range []int{1, 3, 100} {
		n := 0
		err := reverify.Verify(context.Background(), files, workers, o, func(r reverify.Result) error {
			want := verify.Verified
			if n == 7 || n == 31 {
				want = verify.Reject
			}
			if r.File != files[n].Name || r.Verdict == nil || *r.Verdict != want || (r.Code != nil) != (want == verify.Reject) {
				t.Errorf("%d workers: result %d is of %s: %+v", workers, n, r.File, r)
			}
			n++
			return nil
		})
		if err != nil || n != len(files) {
			t.Errorf("%d workers: %d results, %v", workers, n, err)
		}
	}
}

func TestVerifyEndsEarly(t *testing.T) {
	files, o := archive(t, 40, nil)
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	err := reverify.Verify(ctx, files, 4, o, func(reverify.Result) error {
		if n++; n == 5 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n != 5 {
		t.Errorf("cancelled after 5: %d results, %v", n, err)
	}
	full := errors.New("disk full")
	if err := reverify.Verify(context.Background(), files, 4, o, func(reverify.Result) error { return full }); err != full {
		t.Errorf("done fails: %v", err)
	}
}

// A bundle that went away is a result, and the others are verified.
func TestVerifyUnreadable(t *testing.T) {
	files, o := archive(t, 3, nil)
	if err := os.Remove(files[1].Path); err != nil {
		t.Fatal(err)
	}
	var got []reverify.Result
	err := reverify.Verify(context.Background(), files, 2, o, func(r reverify.Result) error { got = append(got, r); return nil })
	if err != nil || len(got) != 3 || got[1].Error == nil || got[1].Verdict != nil || got[2].Verdict == nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func nothing(string) bool { return false }

// TestFind draws archives: everything below them is a bundle or is named.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	good := testbundle.Demo(release, "000102030405060708090a0b0c0d0e0f").Seal()
	for _, name := range []string{"a/x.audit.tar.zst", "a/deep/y.release.tar.zst", "b/x.audit.tar.zst", "a/notes.txt", "a/z.tar.zst"} {
		write(name, nil)
	}
	write("c/plain.tar", good.Tar())
	write("c/nameless", testbundle.Zstd(good.Tar()))
	for name, data := range good {
		write("c/unpacked/"+name, data)
	}
	text := func(l reverify.Listing, err error) string {
		var s []string
		for _, f := range l.Bundles {
			s = append(s, f.Name)
		}
		for _, f := range l.Skipped {
			s = append(s, "("+f.Name+": "+f.Why+")")
		}
		if err != nil {
			s = append(s, err.Error())
		}
		return strings.Join(s, " ")
	}
	find := func(ignore func(string) bool, names ...string) string {
		for i := range names {
			names[i] = filepath.Join(dir, names[i])
		}
		return strings.ReplaceAll(text(reverify.Find(names, ignore)), dir, "")
	}
	for _, c := range []struct {
		dirs []string
		want string
	}{
		{[]string{"b", "a"}, "a/deep/y.release.tar.zst a/x.audit.tar.zst b/x.audit.tar.zst (a/notes.txt: no bundle) (a/z.tar.zst: no bundle)"},
		{[]string{"a"}, "deep/y.release.tar.zst x.audit.tar.zst (notes.txt: no bundle) (z.tar.zst: no bundle)"},
		{[]string{"a/x.audit.tar.zst"}, "x.audit.tar.zst"},
		{[]string{"c"}, "nameless plain.tar unpacked"},
		{[]string{"c/unpacked"}, "unpacked"},
		{[]string{"a", "a"}, "deep/y.release.tar.zst: two bundles of this name"},
	} {
		if got := find(nothing, slices.Clone(c.dirs)...); !strings.HasSuffix(got, c.want) {
			t.Errorf("%v: %s\nwant %s", c.dirs, got, c.want)
		}
	}
	notes := filepath.Join(dir, "a", "notes.txt")
	if got := find(func(path string) bool { return path == notes }, "a"); strings.Contains(got, "notes") {
		t.Errorf("what is ignored is named: %s", got)
	}
	for name, to := range map[string]string{"link": "a", "a/latest.audit.tar.zst": "x.audit.tar.zst", "a/other": "../b", "a/dangling": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skipf("links are not made here: %v", err)
		}
	}
	want := "deep/y.release.tar.zst x.audit.tar.zst (dangling: a link to nothing) (notes.txt: no bundle) (other: a link to what is no bundle of the archive) (z.tar.zst: no bundle)"
	if got := find(nothing, "link"); got != want {
		t.Errorf("links: %s\nwant %s", got, want)
	}
}

// No two names become one, and what is no text is made one.
func TestPrintable(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"a b", "é", "a\xffb", `a\xffb`, "a\nb", `a\nb`, "\u202e", `"`, `\"`} {
		got := reverify.Printable(name)
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q are both %s", name, other, got)
		}
		seen[got] = name
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\n\u202e") {
			t.Errorf("%q: %q", name, got)
		}
	}
	if got := reverify.Printable("a b é"); got != "a b é" {
		t.Errorf("ordinary text: %q", got)
	}
}
