package durable

import (
	"math"
	"os"
	"syscall"
	"unsafe"
)

const (
	exclusive       = 2 // LOCKFILE_EXCLUSIVE_LOCK
	failImmediately = 1 // LOCKFILE_FAIL_IMMEDIATELY

	errorLockViolation = syscall.Errno(33)
	errorIOPending     = syscall.Errno(997)
)

// guarded is the range that is locked. Windows locks are mandatory over it: the
// last byte that a file could have is never read or written.
func guarded() *syscall.Overlapped {
	return &syscall.Overlapped{Offset: math.MaxUint32 - 1, OffsetHigh: math.MaxInt32}
}

func lock(f *os.File, wait bool) error {
	flags := uintptr(exclusive)
	if !wait {
		flags |= failImmediately
	}
	err := call(lockFileEx, f.Fd(), flags, 0, 1, 0, uintptr(unsafe.Pointer(guarded())))
	if err == errorLockViolation || err == errorIOPending {
		return errLocked
	}
	return err
}

func release(f *os.File) error {
	return call(unlockFileEx, f.Fd(), 0, 1, 0, uintptr(unsafe.Pointer(guarded())))
}

// again returns another handle of the same open file, which shares its lock.
func again(f *os.File) (*os.File, error) {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return nil, err
	}
	var h syscall.Handle
	err = syscall.DuplicateHandle(self, syscall.Handle(f.Fd()), self, &h, 0, false, syscall.DUPLICATE_SAME_ACCESS)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(h), f.Name()), nil
}
