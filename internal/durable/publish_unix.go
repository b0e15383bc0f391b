//go:build unix

package durable

import (
	"errors"
	"os"
	"syscall"
)

// linkNew gives the file temp the name path unless something has that name.
// link(2) is the one call that every Unix has for it: rename(2) overwrites, and
// looking first leaves a gap for another writer.
func linkNew(temp, path string) error {
	err := os.Link(temp, path)
	switch {
	case err == nil:
		os.Remove(temp) // a second name of a whole file; leaving it harms nobody
		return nil
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EMLINK):
		// FAT, some network file systems, Android: no hard links.
		return renameNew(temp, path, err)
	default:
		return err
	}
}

// syncDir makes the entries of a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// File systems that cannot sync a directory answer EINVAL or ENOTSUP; there is
	// nothing more to be done on those.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
