package cli

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// TestFatal: what Go's runtime ends by itself ends by a signal, not with the code of an
// answer; a panic in Main itself is 70.
func TestFatal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals are those of Unix")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RELSEAL_TEST_FATAL=1")
	err := cmd.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.Exited() {
		t.Errorf("a stack without end: %v", err)
	}
}

// endless is a fault that no recover catches: the stack ends long before n does.
func endless(n int) int {
	if n < 0 {
		return 0
	}
	return endless(n+1) + n
}
