//go:build unix

package ui

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// hush lets a terminal show nothing of what is typed, and returns how it was. That comes
// before anybody is asked: who interrupts at once must not be left with it.
func hush(tty *os.File) (before *term.State, err error) {
	fd := int(tty.Fd())
	if before, err = term.GetState(fd); err != nil {
		return nil, err
	}
	mode, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	mode.Lflag &^= unix.ECHO
	mode.Lflag |= unix.ICANON | unix.ISIG
	mode.Iflag |= unix.ICRNL
	return before, unix.IoctlSetTermios(fd, setTermios, mode)
}

// readSecret reads a line from a terminal that shows nothing. Ctrl-D at its beginning is
// io.EOF: term.ReadPassword would go on asking.
func readSecret(tty *os.File) (line []byte, err error) {
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
