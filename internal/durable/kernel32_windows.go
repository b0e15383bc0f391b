package durable

import "syscall"

// The three calls that package syscall does not have. golang.org/x/sys/windows
// has them and reaches package net, which nothing that verifies may.
var (
	kernel32     = syscall.NewLazyDLL("kernel32.dll")
	lockFileEx   = kernel32.NewProc("LockFileEx")
	unlockFileEx = kernel32.NewProc("UnlockFileEx")
	moveFileExW  = kernel32.NewProc("MoveFileExW")
)

// call returns the error of a call that answers with a BOOL. Pointers among args
// are converted where call is called, and stay valid until it returns.
//
//go:uintptrescapes
func call(p *syscall.LazyProc, args ...uintptr) error {
	if ok, _, err := p.Call(args...); ok == 0 {
		return err
	}
	return nil
}
