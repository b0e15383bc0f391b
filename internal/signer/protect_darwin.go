package signer

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Protect closes this process to debuggers, which is how macOS lets a process read
// the memory of another of the same user, and lets it leave no core.
func Protect() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("cannot keep the key out of a core file: %w", err)
	}
	if err := unix.PtraceDenyAttach(); err != nil {
		return fmt.Errorf("cannot keep the key from other processes: %w", err)
	}
	return nil
}
