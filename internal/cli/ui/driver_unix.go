//go:build unix

package ui

import (
	"os"
	"syscall"
)

// replaceProcess goes on as another program; it returns only if that fails.
func replaceProcess(file string, args []string) error { return syscall.Exec(file, args, os.Environ()) }
