//go:build unix

package regular

import "syscall"

const (
	noWait   = syscall.O_NONBLOCK // of a FIFO, for somebody who writes it
	noFollow = syscall.O_NOFOLLOW
)
