//go:build unix

// Package testuser runs a test that needs a user who may not read everything.
package testuser

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/relseal/relseal/internal/regular"
)

// nobody is a user without rights.
const nobody = 65534

// Ordinary reports whether this process is of an ordinary user. If it is root's, the test
// is run once more, in a process of another user, and what that said is its result here:
//
//	if !testuser.Ordinary(t) {
//		return
//	}
func Ordinary(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := regular.ReadFile(self, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	// The test's own directories are below one that root alone may enter.
	dir, err := os.MkdirTemp("", "testuser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	test := filepath.Join(dir, "test")
	if err := errors.Join(os.WriteFile(test, program, 0o755), os.Chown(dir, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(test, "-test.v", "-test.run=^"+regexp.QuoteMeta(t.Name())+"$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+dir, "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Skip("no process can be started as another user: ", err)
	case err == nil && strings.Contains(string(out), "--- SKIP: "+t.Name()):
		t.Skipf("as another user:\n%s", out)
	case err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Fatalf("as another user: %v\n%s", err, out)
	}
	return false
}
