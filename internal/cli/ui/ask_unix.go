//go:build unix

package ui

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// readSecret reads a line from a terminal, which does not show it. Ctrl-D at its
// beginning is io.EOF: term.ReadPassword would go on asking.
func readSecret(tty *os.File) (line []byte, err error) {
	fd := int(tty.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	silent.Lflag |= unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, setTermios, &silent); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unix.IoctlSetTermios(fd, setTermios, before)) }()
	for b := make([]byte, 1); ; line = append(line, b[0]) {
		_, err := tty.Read(b)
		switch {
		case err == nil && b[0] == '\n', err == io.EOF && len(line) > 0:
			return line, nil
		case err != nil:
			return nil, err
		case len(line) == maxPassphrase:
			return nil, errTooLong
		}
	}
}
