package recipes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// copyExample leaves behind what an earlier run may have made in place.
func copyExample(t *testing.T, name string) string {
	t.Helper()
	from, to := filepath.Join(repository, "examples", name), filepath.Join(t.TempDir(), name)
	made := map[string]bool{"dist": true, "out": true, ".relseal": true}
	err := fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case made[name]:
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		copyFile(t, filepath.Join(to, name), filepath.Join(from, name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// copyFile copies a file with its permissions.
func copyFile(t *testing.T, to, from string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(from)
	if err := errors.Join(err, os.WriteFile(to, data, info.Mode().Perm())); err != nil {
		t.Fatal(err)
	}
}

// replace changes the one place in a file that holds old.
func replace(t *testing.T, file, old, new string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil || strings.Count(string(data), old) != 1 {
		t.Fatalf("%s does not hold %q once: %v", file, old, err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// commitAll makes a repository of dir and returns its only commit.
func commitAll(t *testing.T, dir string) string {
	t.Helper()
	must(t, dir, nil, "git", "init", "-q")
	must(t, dir, nil, "git", "add", ".")
	must(t, dir, nil, "git", "-c", "user.name=release", "-c", "user.email=release@example.test", "commit", "-q", "-m", "hello")
	return strings.TrimSpace(must(t, dir, nil, "git", "rev-parse", "HEAD"))
}
