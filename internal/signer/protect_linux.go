package signer

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Protect closes this process to others of the same user: its memory and what
// /proc shows of it belong to root from here on, no debugger attaches, and it
// leaves no core.
func Protect() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("cannot keep the key out of a core file: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot keep the key from other processes: %w", err)
	}
	return nil
}
