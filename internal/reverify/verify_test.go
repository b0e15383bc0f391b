package reverify_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

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
	files, err := reverify.Find([]string{dir})
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

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/x.audit.tar.zst", "a/deep/y.release.tar.zst", "b/x.audit.tar.zst", "a/notes.txt", "a/z.tar.zst"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := reverify.Find([]string{filepath.Join(dir, "b"), filepath.Join(dir, "a")})
	if err != nil || len(files) != 3 || files[0].Name != "a/deep/y.release.tar.zst" || files[1].Name != "a/x.audit.tar.zst" || files[2].Name != "b/x.audit.tar.zst" {
		t.Errorf("%+v, %v", files, err)
	}
	if files, err := reverify.Find([]string{filepath.Join(dir, "a")}); err != nil || files[0].Name != "deep/y.release.tar.zst" {
		t.Errorf("%+v, %v", files, err)
	}
	if files, err := reverify.Find([]string{filepath.Join(dir, "a/x.audit.tar.zst")}); err != nil || len(files) != 1 || files[0].Name != "x.audit.tar.zst" {
		t.Errorf("a bundle itself: %+v, %v", files, err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "a"), link); err != nil {
		t.Logf("links are not made here: %v", err)
	} else if files, err := reverify.Find([]string{link}); err != nil || len(files) != 2 || files[1].Name != "x.audit.tar.zst" {
		t.Errorf("a link to an archive: %+v, %v", files, err)
	}
	if _, err := reverify.Find([]string{filepath.Join(dir, "a"), filepath.Join(dir, "a")}); err == nil {
		t.Error("the same directory twice gives no error")
	}
}
