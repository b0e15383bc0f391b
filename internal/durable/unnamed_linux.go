package durable

import (
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// unnamed makes a file in dir that has no name yet, so that a process that is killed
// leaves nothing of it; nil where the file system or the system cannot.
func unnamed(dir string, perm fs.FileMode) *os.File {
	f, err := os.OpenFile(dir, os.O_RDWR|unix.O_TMPFILE, perm)
	if err != nil {
		return nil
	}
	if _, err := os.Lstat(inProc(f)); err != nil { // without /proc it would never get a name
		f.Close()
		return nil
	}
	lock(f, false) // it may get a temporary name
	return f
}

// name gives an unnamed file the name path unless something has that name.
func name(f *os.File, path string) error {
	err := unix.Linkat(unix.AT_FDCWD, inProc(f), unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
	if err != nil {
		return &os.LinkError{Op: "link", Old: f.Name(), New: path, Err: err}
	}
	return nil
}

func inProc(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }
