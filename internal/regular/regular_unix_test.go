//go:build unix

package regular_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/relseal/relseal/internal/regular"
)

// soon fails if f waits for somebody.
func soon(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it waits")
	}
}

// TestKinds: whatever is no regular file is refused by name and kind, at once.
func TestKinds(t *testing.T) {
	dir := t.TempDir()
	fifo, link, socket := filepath.Join(dir, "fifo"), filepath.Join(dir, "link"), filepath.Join(dir, "socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip("no socket here: ", err)
	}
	defer l.Close()
	if err := errors.Join(syscall.Mkfifo(fifo, 0o600), os.Symlink("fifo", link)); err != nil {
		t.Fatal(err)
	}
	root, err := regular.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, tt := range []struct{ path, want string }{
		{fifo, "is a FIFO, not a regular file"},
		{link, "is a FIFO, not a regular file"},
		{socket, "is a socket, not a regular file"},
		{"/dev/null", "is a device, not a regular file"},
		{dir, "is a directory, not a regular file"},
	} {
		soon(t, func() {
			_, open := regular.Open(tt.path)
			_, update := regular.OpenUpdate(tt.path)
			_, in := regular.OpenIn(root, filepath.Base(tt.path))
			for i, err := range []error{open, update, in} {
				if i == 2 && filepath.Dir(tt.path) != dir {
					continue // not below root
				}
				if err == nil || !strings.Contains(err.Error(), filepath.Base(tt.path)+": "+tt.want) {
					t.Errorf("%s: %v", tt.path, err)
				}
			}
		})
	}
	for _, open := range []func() (*regular.File, error){
		func() (*regular.File, error) { return regular.OpenSelf(link) },
		func() (*regular.File, error) { return regular.OpenSelfIn(root, "link") },
	} {
		if _, err := open(); err == nil || !strings.Contains(err.Error(), "is a symbolic link, not a regular file") {
			t.Errorf("a link: %v", err)
		}
	}
}

// TestStream: a pipe is read to its end, and waited for no longer than wanted.
func TestStream(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
		if err == nil {
			io.WriteString(w, "from far away")
			w.Close()
		}
	}()
	soon(t, func() {
		r, err := regular.Stream(context.Background(), fifo)
		if err != nil {
			t.Error(err)
			return
		}
		defer r.Close()
		if data, err := io.ReadAll(r); string(data) != "from far away" || err != nil {
			t.Errorf("%q, %v", data, err)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	soon(t, func() {
		if _, err := regular.Stream(ctx, fifo); !errors.Is(err, context.Canceled) {
			t.Errorf("without a writer: %v", err)
		}
	})
}

// TestUntil: reading what never comes ends with the context.
func TestUntil(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	in := regular.Until(ctx, r)
	io.WriteString(w, "now")
	p := make([]byte, 10)
	if n, err := in.Read(p); string(p[:n]) != "now" || err != nil {
		t.Errorf("%q, %v", p[:n], err)
	}
	time.AfterFunc(20*time.Millisecond, cancel)
	soon(t, func() {
		if _, err := in.Read(p); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
