package durable

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestSweep: what a killed process left is gone, and nothing else.
func TestSweep(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("directories are not swept there")
	}
	dir := t.TempDir()
	alive, err := named(dir, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	filling, err := NewDir(filepath.Join(dir, "filling"))
	if err != nil {
		t.Fatal(err)
	}
	defer filling.Discard()
	keep := []string{filepath.Base(alive.Name()), filepath.Base(filling.Path())}
	for _, name := range []string{".relseal-short.tmp", ".relseal-" + strings.ToLower(rand.Text()) + ".tmp", ".relseal-" + rand.Text() + ".txt", rand.Text() + ".tmp", ".relseal-.tmp"} {
		keep = append(keep, name)
		write(t, filepath.Join(dir, name), "somebody's")
	}
	link := tempName(dir)
	keep = append(keep, filepath.Base(link))
	if err := os.Symlink(alive.Name(), link); err != nil {
		t.Fatal(err)
	}
	write(t, tempName(dir), "a private key")
	dead := tempName(dir)
	write(t, filepath.Join(dead, "below", "f"), "half a bundle")

	Sweep(dir)
	got := names(t, dir)
	slices.Sort(keep)
	if !slices.Equal(got, keep) {
		t.Errorf("left %q, want %q", got, keep)
	}
	if err := filling.Commit(); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestGroup kills a maker of three files after each of them: they are all there, or
// none. A file that is not of the group stays.
func TestGroup(t *testing.T) {
	members := []Member{{"a/one", []byte("1")}, {"two", []byte("2")}, {"last", []byte("3")}}
	for made := range len(members) + 1 {
		for _, foreign := range []bool{false, true} {
			dir := t.TempDir()
			g, err := Together(dir, members)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range members[:made] {
				write(t, filepath.Join(dir, m.Name), string(m.Data))
			}
			if foreign && made < 2 {
				write(t, filepath.Join(dir, "two"), "another")
			}
			Sweep(dir)
			if got := names(t, dir); !slices.Contains(got, filepath.Base(g.list.Name())) {
				t.Fatalf("the list of a maker that lives was swept: %q", got)
			}
			g.list.Close() // as its end would
			Sweep(dir)
			want := []string{}
			switch {
			case made == len(members):
				want = []string{"a", "last", "two"}
			case foreign && made < 2:
				want = []string{"two"}
			}
			if got := names(t, dir); !slices.Equal(append([]string{}, got...), want) {
				t.Errorf("after %d files, foreign %v: left %q, want %q", made, foreign, got, want)
			}
		}
	}
}

// A list that is not whole, or was made to reach elsewhere, removes nothing.
func TestGroupDamaged(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	write(t, outside, "1")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "one"), "1")
	const one = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
	for _, text := range []string{
		"", "{", `{"files":[]}`,
		fmt.Sprintf(`{"files":[{"name":%q,"sha256":"%s"},{"name":"last","sha256":""}]}`, outside, one),
		fmt.Sprintf(`{"files":[{"name":"../%s/outside","sha256":"%s"},{"name":"last","sha256":""}]}`, filepath.Base(filepath.Dir(outside)), one),
	} {
		list := strings.TrimSuffix(tempName(dir), tempSuffix) + listSuffix
		write(t, list, text)
		Sweep(dir)
		if got := names(t, dir); !slices.Equal(got, []string{"one"}) {
			t.Errorf("%s: left %q", text, got)
		}
		if _, err := os.Stat(outside); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestFill(t *testing.T) {
	fill := func(dir string) error {
		for _, name := range []string{"b/last", "a", "c"} {
			if err := MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				return err
			}
			if err := WriteFile(filepath.Join(dir, name), []byte(name), 0o644, false); err != nil {
				return err
			}
		}
		return nil
	}
	broken := errors.New("broken")
	for _, there := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "parent", "d")
		if there {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		err := Fill(dir, "b/last", func(temp string) error {
			return errors.Join(fill(temp), &fs.PathError{Op: "write", Path: filepath.Join(temp, "x"), Err: broken})
		})
		if pe, ok := errors.AsType[*fs.PathError](err); !ok || pe.Path != filepath.Join(dir, "x") || !errors.Is(err, broken) {
			t.Errorf("there %v: %v", there, err)
		}
		if entries, err := os.ReadDir(dir); len(entries) > 0 || there != (err == nil) {
			t.Errorf("there %v: left %v, %v", there, entries, err)
		}
		if err := Fill(dir, "b/last", fill); err != nil {
			t.Fatal(err)
		}
		if got := names(t, dir); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("there %v: %q", there, got)
		}
		if got := names(t, filepath.Dir(dir)); len(got) != 1 {
			t.Errorf("beside it: %q", got)
		}
		if err := Fill(dir, "b/last", fill); !errors.Is(err, fs.ErrExist) || !errors.Is(err, ErrNotEmpty) {
			t.Errorf("again: %v", err)
		}
	}
}

func TestRemoveAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	write(t, filepath.Join(dir, "below", "f"), "x")
	for range 2 {
		if err := RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, filepath.Dir(dir)); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}

// TestNamed has the tests of files once more where every file has a name.
func TestNamed(t *testing.T) {
	withoutName = func(string, fs.FileMode) *os.File { return nil }
	defer func() { withoutName = unnamed }()
	for name, test := range map[string]func(*testing.T){
		"WriteFile": TestWriteFile, "Appears": TestAppears, "Discard": TestDiscard, "FailureLeavesNothing": TestFailureLeavesNothing,
		"MissingDirectory": TestMissingDirectory, "OneWins": TestOneWins, "LongName": TestLongName, "Staged": TestStaged,
	} {
		t.Run(name, test)
	}
}

func TestStaged(t *testing.T) {
	for _, replace := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "f")
		for _, commit := range []bool{false, true} {
			f, err := Create(path, 0o644, replace)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(f, "some")
			staged, err := f.Staged()
			if err != nil {
				t.Fatal(err)
			}
			if data, err := os.ReadFile(staged); err != nil || string(data) != "some" || staged == path {
				t.Errorf("%s holds %q, %v", staged, data, err)
			}
			Sweep(filepath.Dir(path))
			if commit {
				if err := f.Commit(); err != nil {
					t.Error(err)
				}
				wantFile(t, path, "some")
			} else if f.Discard(); len(names(t, filepath.Dir(path))) != 0 {
				t.Errorf("left %q", names(t, filepath.Dir(path)))
			}
		}
	}
}
