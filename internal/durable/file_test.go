package durable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// names lists what is in dir, temporary files included.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func wantFile(t *testing.T, path, content string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil || string(data) != content {
		t.Errorf("%s holds %q, %v; want %q", path, data, err, content)
	}
	if all := names(t, filepath.Dir(path)); len(all) != 1 {
		t.Errorf("the directory holds %q", all)
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := WriteFile(path, []byte("one"), 0o600, false); err != nil {
		t.Fatal(err)
	}
	wantFile(t, path, "one")
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}

	err := WriteFile(path, []byte("two"), 0o600, false)
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("second write: %v", err)
	}
	if want := "create " + path + ": file already exists"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	wantFile(t, path, "one")

	if err := WriteFile(path, []byte("two"), 0o600, true); err != nil {
		t.Fatal(err)
	}
	wantFile(t, path, "two")
}

// TestAppears is about a name that somebody takes while we write.
func TestAppears(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f, err := Create(path, 0o644, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Discard()
	fmt.Fprint(f, "ours")
	if err := os.WriteFile(path, []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Commit: %v", err)
	}
	wantFile(t, path, "theirs")
}

func TestDiscard(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f, err := Create(path, 0o644, false)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "some")
	f.Discard()
	f.Discard()
	if _, err := f.Write(nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write after Discard: %v", err)
	}
	if err := f.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit after Discard: %v", err)
	}
	if all := names(t, filepath.Dir(path)); len(all) != 0 {
		t.Errorf("left behind: %q", all)
	}

	f, err = Create(path, 0o644, false)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "all")
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	if err := f.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("second Commit: %v", err)
	}
	wantFile(t, path, "all")
}

func TestFailureLeavesNothing(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, f *File)
	}{
		{"write", func(t *testing.T, f *File) {
			f.f.Close()
			if _, err := f.Write([]byte("x")); err == nil {
				t.Error("Write to a closed file succeeded")
			}
		}},
		{"sync", func(t *testing.T, f *File) { f.f.Close() }},
		{"publish", func(t *testing.T, f *File) {
			if err := os.Mkdir(f.path, 0o755); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		for _, replace := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s replace=%v", tt.name, replace), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "f")
				f, err := Create(path, 0o644, replace)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprint(f, "some")
				tt.spoil(t, f)
				err = f.Commit()
				if err == nil {
					t.Fatal("Commit succeeded")
				}
				if n := strings.Count(err.Error(), filepath.Dir(path)); n != 1 || strings.Contains(err.Error(), ".tmp") {
					t.Errorf("the error names the wrong things: %v", err)
				}
				os.Remove(path) // the directory of "publish"
				if all := names(t, filepath.Dir(path)); len(all) != 0 {
					t.Errorf("left behind: %q", all)
				}
			})
		}
	}
}

func TestMissingDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "f")
	err := WriteFile(path, nil, 0o644, true)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

// TestOneWins lets writers race for one name.
func TestOneWins(t *testing.T) {
	const writers = 8
	for range 20 {
		path := filepath.Join(t.TempDir(), "f")
		errs := make([]error, writers)
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				errs[i] = WriteFile(path, bytes.Repeat([]byte{'a' + byte(i)}, 10_000), 0o644, false)
			})
		}
		wg.Wait()
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner >= 0:
				t.Fatalf("writers %d and %d both won", winner, i)
			case err == nil:
				winner = i
			case !errors.Is(err, fs.ErrExist):
				t.Fatal(err)
			}
		}
		if winner < 0 {
			t.Fatal("nobody won")
		}
		wantFile(t, path, strings.Repeat(string(rune('a'+winner)), 10_000))
	}
}

func TestLongName(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 255))
	if err := WriteFile(path, []byte("x"), 0o644, false); err != nil {
		t.Fatal(err)
	}
	wantFile(t, path, "x")
}

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	for range 2 {
		if err := MkdirAll(deep, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(deep); err != nil || !info.IsDir() {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := MkdirAll(file, 0o755); !errors.Is(err, fs.ErrExist) || !strings.HasSuffix(err.Error(), file+": file already exists and is not a directory") {
		t.Errorf("MkdirAll of a file: %v", err)
	}
	if err := MkdirAll(filepath.Join(file, "below"), 0o755); err == nil {
		t.Error("MkdirAll below a file succeeded")
	}
	t.Chdir(dir)
	if err := MkdirAll("x/y", 0o755); err != nil {
		t.Error(err)
	}
}

func ExampleLock() {
	unlock, err := Lock(context.Background(), filepath.Join(os.TempDir(), "relseal-example.lock"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer unlock()
	fmt.Println("nobody else is here")
	// Output: nobody else is here
}
