package durable

import (
	"syscall"
	"unsafe"
)

const writeThrough = 8 // MOVEFILE_WRITE_THROUGH

// linkNew gives the file temp the name path unless something has that name:
// MoveFileEx does not overwrite unless told to.
func linkNew(temp, path string) error {
	from, err := syscall.UTF16PtrFromString(temp)
	if err != nil {
		return err
	}
	to, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	return call(moveFileExW, uintptr(unsafe.Pointer(from)), uintptr(unsafe.Pointer(to)), writeThrough)
}

// syncDir does nothing: Windows has no handle of a directory that could be
// flushed, and NTFS journals names.
func syncDir(string) error { return nil }
