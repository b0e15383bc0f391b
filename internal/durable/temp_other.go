//go:build !unix

package durable

import (
	"io/fs"
	"os"
)

func openToLock(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR, 0) }

// owned reports true: what others own here cannot be removed, unless they let us.
func owned(fs.FileInfo) bool { return true }

// closeToRename closes f: an open file can be neither renamed nor removed. Who sweeps
// between that and the rename makes it fail.
func closeToRename(f *os.File) { f.Close() }
