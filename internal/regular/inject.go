package regular

import (
	"io/fs"
	"os"
	"sync/atomic"
)

// fault is what tests put between relseal and the medium.
var fault atomic.Pointer[func(op, path string) error]

// Inject makes every call to the medium, made through this package, ask f first,
// until undo: op is open, read, stat, lstat or list. What f returns is the cause that the
// call fails with.
func Inject(f func(op, path string) error) (undo func()) {
	old := fault.Swap(&f)
	return func() { fault.Store(old) }
}

func injected(op, path string) error {
	if f := fault.Load(); f != nil && *f != nil {
		if err := (*f)(op, path); err != nil {
			return &fs.PathError{Op: op, Path: path, Err: err}
		}
	}
	return nil
}

// LstatIn is root.Lstat.
func LstatIn(root *os.Root, name string) (fs.FileInfo, error) {
	if err := injected("lstat", name); err != nil {
		return nil, err
	}
	return root.Lstat(name)
}

// OpenDirIn opens the directory name below root for listing. A link is refused.
func OpenDirIn(root *os.Root, name string) (*os.File, error) {
	if err := injected("list", name); err != nil {
		return nil, err
	}
	return root.OpenFile(name, os.O_RDONLY|noWait|noFollow, 0)
}

// OpenSelfIn opens the regular file name below root. A link is refused.
func OpenSelfIn(root *os.Root, name string) (*File, error) {
	return open(name, root.Lstat, func(flag int) (*os.File, error) { return root.OpenFile(name, flag|noFollow, 0) })
}
