//go:build !unix

package ui

import (
	"os"

	"golang.org/x/term"
)

// hush returns how a terminal is: readSecret lets it show nothing.
func hush(tty *os.File) (*term.State, error) { return term.GetState(int(tty.Fd())) }

// readSecret reads a line from a terminal, which does not show it.
func readSecret(tty *os.File) ([]byte, error) { return term.ReadPassword(int(tty.Fd())) }
