package private

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	for _, e := range must(os.ReadDir(dir)) {
		out = append(out, e.Name())
	}
	return out
}

func TestWritePair(t *testing.T) {
	for _, tt := range []struct {
		file       string
		passphrase []byte
		want       []string
	}{
		{"release.key", nil, []string{"release.key", "release.pub", "release.ssh.pub"}},
		{"release", nil, []string{"release", "release.pub", "release.ssh.pub"}},
		{"two words.pem", []byte("correct horse"), []string{"two words.pem", "two words.pub", "two words.ssh.pub"}},
	} {
		dir, p := t.TempDir(), seeded(t, 1)
		paths, err := WritePair(filepath.Join(dir, tt.file), p, tt.passphrase, "release@example.test")
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		for i, name := range tt.want {
			if paths[i] != filepath.Join(dir, name) {
				t.Errorf("%s: name %s, want %s", tt.file, paths[i], name)
			}
		}
		if got := names(t, dir); !slices.Equal(got, tt.want) {
			t.Errorf("%s: files %v, want %v", tt.file, got, tt.want)
		}
		if runtime.GOOS != "windows" {
			for i, mode := range []fs.FileMode{0o600, 0o644, 0o644} {
				if got := must(os.Stat(paths[i])).Mode().Perm(); got&^mode != 0 {
					t.Errorf("%s: mode %04o, want %04o", paths[i], got, mode)
				}
			}
		}
		if got, err := Load(paths[0], pass("correct horse")); err != nil || got.Public() != p.Public() {
			t.Errorf("%s read back: %v, %v", paths[0], got, err)
		}
		if _, err := Load(paths[0], nil); errors.Is(err, ErrPassphrase) != (tt.passphrase != nil) {
			t.Errorf("%s without a passphrase: %v", paths[0], err)
		}
		for _, path := range paths[1:] {
			if got, err := keys.LoadPublic(path); err != nil || got != p.Public() {
				t.Errorf("%s read back: %v, %v", path, got.KeyID(), err)
			}
		}
		if trusted, err := keys.LoadTrusted([]string{dir}); err != nil || len(trusted.IDs()) != 1 {
			t.Errorf("the directory of the pair: %v", err)
		}
		if line := must(os.ReadFile(paths[2])); !bytes.HasSuffix(line, []byte(" release@example.test\n")) {
			t.Errorf("OpenSSH line %q", line)
		}
	}
}

// TestWritePairNeverOverwrites puts each of the three files in the way, also as
// a dangling link: nothing is written and nothing is changed.
func TestWritePairNeverOverwrites(t *testing.T) {
	for _, name := range []string{"release.key", "release.pub", "release.ssh.pub"} {
		for _, link := range []bool{false, true} {
			dir := t.TempDir()
			if link {
				if err := os.Symlink("nowhere", filepath.Join(dir, name)); err != nil {
					t.Skip("no symbolic links here")
				}
			} else if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := WritePair(filepath.Join(dir, "release.key"), seeded(t, 1), nil, "")
			if !errors.Is(err, fs.ErrExist) || hint.Of(err) == "" {
				t.Errorf("%s in the way: %v", name, err)
			}
			if got := names(t, dir); len(got) != 1 {
				t.Errorf("%s in the way: left %v", name, got)
			}
			if data, err := os.ReadFile(filepath.Join(dir, name)); !link && (err != nil || string(data) != "old") {
				t.Errorf("%s is now %q (%v)", name, data, err)
			}
		}
	}
}

// TestWritePairFaults lets each write fail in turn: before it lands, after it
// landed, and because another process was faster. What this call wrote is gone
// then, and what the other one wrote is left.
func TestWritePairFaults(t *testing.T) {
	gone := errors.New("disk gone")
	for n, name := range []string{"release.pub", "release.ssh.pub", "release.key"} {
		for fault, write := range map[string]func(path string, data []byte) error{
			"before": func(string, []byte) error { return gone },
			"after": func(path string, data []byte) error {
				return errors.Join(os.WriteFile(path, data, 0o600), &fs.PathError{Op: "sync", Path: path, Err: gone})
			},
			"race": func(path string, data []byte) error {
				if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
					return err
				}
				return durable.WriteFile(path, data, 0o600, false)
			},
		} {
			dir, calls := t.TempDir(), 0
			paths, err := writePair(filepath.Join(dir, "release.key"), seeded(t, 1), nil, "", func(path string, data []byte, perm fs.FileMode, replace bool) error {
				calls++
				if calls == n+1 {
					return write(path, data)
				}
				return durable.WriteFile(path, data, perm, replace)
			})
			if err == nil || paths != nil || calls != n+1 {
				t.Errorf("%s %s: %v, %v after %d writes", fault, name, paths, err, calls)
				continue
			}
			left := names(t, dir)
			if fault == "race" {
				if !errors.Is(err, fs.ErrExist) || !slices.Equal(left, []string{name}) {
					t.Errorf("%s %s: %v, left %v", fault, name, err, left)
				}
			} else if !errors.Is(err, gone) || len(left) != 0 {
				t.Errorf("%s %s: %v, left %v", fault, name, err, left)
			}
		}
	}
}

func TestWritePairRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"release.pub", "RELEASE.PUB", "release.ssh.pub", ".key", "sub/"} {
		if _, err := WritePair(dir+"/"+name, seeded(t, 1), nil, ""); err == nil {
			t.Errorf("%s is taken as the name of a private key", name)
		}
	}
	for _, name := range []string{"", ".", "/"} {
		if _, err := WritePair(name, seeded(t, 1), nil, ""); err == nil {
			t.Errorf("%q is taken as the name of a private key", name)
		}
	}
	if _, err := WritePair(filepath.Join(dir, "none", "release.key"), seeded(t, 1), nil, ""); !errors.Is(err, fs.ErrNotExist) || hint.Of(err) == "" {
		t.Errorf("missing directory: %v", err)
	}
	if _, err := WritePair(filepath.Join(dir, "release.key"), seeded(t, 1), []byte{}, ""); err == nil {
		t.Error("an empty passphrase is taken for none")
	}
	if _, err := WritePair(filepath.Join(dir, "release.key"), new(Key), nil, ""); err == nil {
		t.Error("the zero value is written")
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}
