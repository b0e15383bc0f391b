//go:build unix

package bundle

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/testuser"
)

// special puts a FIFO and a socket into dir.
func special(t *testing.T, dir string) (fifo, socket string) {
	t.Helper()
	fifo, socket = filepath.Join(dir, "fifo"), filepath.Join(dir, "socket")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Skip(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { l.Close() })
	return fifo, socket
}

// in returns what f returns, unless it waits for somebody.
func in[T any](t *testing.T, f func() T) T {
	t.Helper()
	done := make(chan T, 1)
	go func() { done <- f() }()
	select {
	case v := <-done:
		return v
	case <-time.After(time.Minute):
		t.Fatal("still waiting after a minute")
		panic("not reached")
	}
}

func TestOpenSpecialFiles(t *testing.T) {
	dir, err := os.MkdirTemp("", "b") // short enough for the name of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	fifo, socket := special(t, dir)
	for name, want := range map[string]string{fifo: "a FIFO", socket: "a socket", os.DevNull: "a device"} {
		err := in(t, func() error {
			_, err := Open(name, func(f finding.Finding) { t.Error(describe(f)) })
			return err
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if _, err := FileContent("a", RoleArtifact, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("content of %s: %v, want %q", name, err, want)
		}
	}
	got := in(t, func() outcome { return readName(t, dir) })
	if len(got.findings) != 2 || !strings.Contains(got.findings[0], "fifo: the entry is a FIFO") || !strings.Contains(got.findings[1], "socket: the entry is a socket") {
		t.Error(got)
	}
}

// A FIFO that takes the place of a listed file is not waited for.
func TestDirectoryFileBecomesFIFO(t *testing.T) {
	dir := dirOf(t, small...)
	got := in(t, func() outcome {
		return drain(t, func(report func(finding.Finding)) Source {
			src, err := Open(dir, report)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(dir, "artifacts", "a")
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(name, 0o644); err != nil {
				t.Skip(err)
			}
			return src
		})
	})
	got.wantFinding(t, "artifacts/a: the file changed")
}

// What cannot be read for lack of permission is an error and no finding.
func TestDirectoryPermission(t *testing.T) {
	if !testuser.Ordinary(t) {
		return
	}
	dir := dirOf(t, small...)
	if err := os.Chmod(filepath.Join(dir, "SHA256SUMS"), 0); err != nil {
		t.Fatal(err)
	}
	if got := readName(t, dir); got.err == nil || len(got.findings) > 0 {
		t.Error(got)
	}
}
