package durable

import "golang.org/x/sys/unix"

// renameNew is the way without hard links; linkErr is why it is needed.
func renameNew(temp, path string, linkErr error) error {
	if err := unix.RenamexNp(temp, path, unix.RENAME_EXCL); err != unix.ENOTSUP {
		return err
	}
	return linkErr
}
