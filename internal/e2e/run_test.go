package e2e

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/relseal/relseal/internal/testbundle"
)

// need skips a test where a program of other people is absent.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, name := range tools {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
}

// An ended process.
type ended struct {
	code           int
	stdout, stderr string
}

func (e ended) String() string { return e.stdout + e.stderr }

// run executes a command to its end; only a command that cannot be started, or
// dies of a signal, fails the test.
func run(t *testing.T, cmd *exec.Cmd) ended {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0) {
		t.Fatalf("%s: %v\n%s%s", cmd, err, stdout.String(), stderr.String())
	}
	return ended{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// bash runs a script that ends at its first failing command.
func bash(t *testing.T, dir, script string) ended {
	t.Helper()
	need(t, "bash")
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	return run(t, cmd)
}

// read returns the tar in a tar.zst and the files in that, by other code than
// the product's.
func read(t *testing.T, file string) ([]byte, testbundle.Files) {
	t.Helper()
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	plain := unzstd(t, packed)
	files := testbundle.Files{}
	for r := tar.NewReader(bytes.NewReader(plain)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return plain, files
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatalf("%s: %s: %v", file, h.Name, err)
		}
	}
}

func unzstd(t *testing.T, packed []byte) []byte {
	t.Helper()
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	plain, err := z.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// lay writes files below dir, which it makes.
func lay(t *testing.T, dir string, files testbundle.Files) {
	t.Helper()
	for path, data := range files {
		name := filepath.Join(dir, filepath.FromSlash(path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// copyFile copies a file to a name or into a directory.
func copyFile(t *testing.T, to, from string) {
	t.Helper()
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		to = filepath.Join(to, filepath.Base(from))
	}
	data, err := os.ReadFile(from)
	if err := errors.Join(err, os.WriteFile(to, data, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// rewrite replaces a file by what edit makes of it, and puts it back when the
// returned function is called.
func rewrite(t *testing.T, file string, edit func([]byte) []byte) (undo func()) {
	t.Helper()
	was, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, edit(bytes.Clone(was)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.WriteFile(file, was, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// flip changes one bit in the middle.
func flip(data []byte) []byte {
	data[len(data)/2] ^= 1
	return data
}
