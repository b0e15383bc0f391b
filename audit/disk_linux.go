package audit

import (
	"io/fs"
	"syscall"
)

// Sync waits until what was written can be read after a crash: the bytes, and the
// size of the file where it grew. Its other attributes, which fsync would write as
// well, nobody needs.
func (d *osDisk) Sync() error {
	raw, err := d.SyscallConn()
	if err != nil {
		return err
	}
	var fault error
	err = raw.Control(func(fd uintptr) {
		for {
			if fault = syscall.Fdatasync(int(fd)); fault != syscall.EINTR {
				return
			}
		}
	})
	if err == nil && fault != nil {
		err = &fs.PathError{Op: "sync", Path: d.Name(), Err: fault}
	}
	return err
}
