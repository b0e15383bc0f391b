//go:build unix

package private

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/keys"
)

// TestExposed: a private key that group or others may use in any way is refused,
// with the command that helps.
func TestExposed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "release key")
	if err := os.WriteFile(path, must(seeded(t, 1).PKCS8PEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode := range os.FileMode(0o1000) {
		if mode&0o400 == 0 {
			continue // not readable at all, unless by root
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path, nil)
		if open := mode&0o077 != 0; errors.Is(err, ErrExposed) != open {
			t.Errorf("mode %04o: %v", mode, err)
		}
		if err != nil && hint.Of(err) != "chmod 600 '"+path+"'" {
			t.Errorf("mode %04o: hint %q", mode, hint.Of(err))
		}
		info, err := Inspect(path)
		if err != nil || info.Exposed != (mode&0o077 != 0) || *info.Mode != fmt.Sprintf("%04o", mode) {
			t.Errorf("mode %04o: %+v, %v", mode, info, err)
		}
	}
	// A link is as open as what it points to; its own mode means nothing.
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Chmod(path, 0o600), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(link, nil); err != nil {
		t.Errorf("through a link: %v", err)
	}
	// The public key to sign with is the fault to name, not its mode.
	public := filepath.Join(t.TempDir(), "release.pub")
	if err := os.WriteFile(public, seeded(t, 1).Public().PEM(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(public, nil); err == nil || errors.Is(err, ErrExposed) {
		t.Errorf("public key: %v", err)
	}
}

// TestNotWaitedFor: FIFOs and devices are refused at once.
func TestNotWaitedFor(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo.pub")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skipf("no FIFO here: %v", err)
	}
	for _, path := range []string{fifo, os.DevNull, "/dev/zero"} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, private := Load(path, noPass(t))
			_, public := keys.LoadPublic(path)
			_, inspected := Inspect(path)
			_, trusted := keys.LoadTrusted([]string{filepath.Dir(fifo)})
			for _, err := range []error{private, public, inspected, trusted} {
				if err == nil || !strings.Contains(err.Error(), "regular file") {
					t.Errorf("%s: %v", path, err)
				}
			}
		}()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatalf("%s is waited for", path)
		}
	}
}
