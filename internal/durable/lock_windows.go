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
