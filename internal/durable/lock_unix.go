//go:build unix && !solaris && !illumos && !aix

package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

// flock(2) belongs to the open file, fcntl(2) locks to the process: those would
// let two users inside one process pass, and the first close of any descriptor
// of the file would release them.

func lock(f *os.File, wait bool) error {
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	err := flock(f, how)
	if err == unix.EWOULDBLOCK {
		return errLocked
	}
	return err
}

func release(f *os.File) error { return flock(f, unix.LOCK_UN) }

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

// again returns another descriptor of the same open file, which shares its lock.
func again(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
