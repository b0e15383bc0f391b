//go:build !unix

package ui

import (
	"os"

	"golang.org/x/term"
)

// readSecret reads a line from a terminal, which does not show it.
func readSecret(tty *os.File) ([]byte, error) { return term.ReadPassword(int(tty.Fd())) }
