package durable

import "golang.org/x/sys/unix"

// renameNew is the way without hard links; linkErr is why it is needed.
func renameNew(temp, path string, linkErr error) error {
	switch err := unix.Renameat2(unix.AT_FDCWD, temp, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE); err {
	case unix.EINVAL, unix.ENOSYS:
		return linkErr // not on this file system or kernel either
	default:
		return err
	}
}
