package run

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	for _, name := range []string{"a.go", "b.go", "c.txt", ".hidden.go", "sub/a.go", "sub/deep/a.go", "other/x.txt", "[x]"} {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS != "windows" { // where links need a privilege
		for name, target := range map[string]string{
			"links/ok": "../c.txt", "links/dangling": "none", "links/out": filepath.Join(outside, "secret"),
			"links/dir": outside, "links/up": "../../" + filepath.Base(outside),
		} {
			os.MkdirAll(filepath.Join(dir, "links"), 0o755)
			if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		os.WriteFile(filepath.Join(outside, "secret"), nil, 0o644)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()

	for _, c := range []struct{ patterns, want string }{
		{"a.go", "a.go"},
		{"*.go", ".hidden.go a.go b.go"},
		{"b.go *.go b.go", ".hidden.go a.go b.go"},
		{"[ab].go", "a.go b.go"},
		{"?.*", "a.go b.go c.txt"},
		{"*/*.go", "sub/a.go"},
		{"*/a.go", "sub/a.go"},
		{"sub/*/a.go", "sub/deep/a.go"},
		{"*/deep/*", "sub/deep/a.go"},
		{"[[]x]", "[x]"},
		{"s*", "error: input s* matches no file"}, // a directory is no file
		{"*.c", "error: input *.c matches no file"},
		{"a.go/*", "error: input a.go/* matches no file"},
		{"none/*", "error: input none/* matches no file"},
		{"**/*.go", "error: input **/*.go: ** would match no deeper than *"},
		{"[", "error: input [: syntax error in pattern"},
		{"../*", "error: input ../*: not a path below the project"},
		{"/etc/hosts", "error: input /etc/hosts: not a path below the project"},
		{"./a.go", "error: input ./a.go: not a path below the project"},
		{`sub\*`, `error: input sub\*: not a path below the project`},
		{"a//b", "error: input a//b: not a path below the project"},
		{"", "error: input : not a path below the project"},
	} {
		check(t, root, c.patterns, c.want)
	}
	if runtime.GOOS != "windows" {
		for _, c := range []struct{ patterns, want string }{
			{"links/o[k]", "links/ok"},
			{"links/da*", "error: input links/da* matches no file"},
			{"links/ou*", "error: input links/ou*: links/out: path escapes"},
			{"links/dir/*", "error: input links/dir/*: links/dir: path escapes"},
			{"links/up/*", "error: input links/up/*: links/up: path escapes"},
			{"links/d*/secret", "error: input links/d*/secret: links/dir/secret: path escapes"},
		} {
			check(t, root, c.patterns, c.want)
		}
		for _, name := range []string{"links/out", "links/dir/secret", "links/up/secret"} {
			if _, err := hashFiles(t.Context(), root, "input", []string{name}); err == nil {
				t.Errorf("%s was read through a link that leaves the project", name)
			}
		}
	}
}

func check(t *testing.T, root *os.Root, patterns, want string) {
	t.Helper()
	names, err := expand(root, strings.Split(patterns, " "))
	got := strings.Join(names, " ")
	if err != nil {
		got = "error: " + err.Error()
	}
	if got != want && !(err != nil && strings.HasPrefix(got, want)) {
		t.Errorf("%q: got %q, want %q", patterns, got, want)
	}
}

func TestUnprintableName(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "é.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	check(t, root, "*.txt", `error: input *.txt: file name "\u00e9.txt"`)
}
