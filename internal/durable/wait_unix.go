//go:build unix

package durable

import "syscall"

const noWait = syscall.O_NONBLOCK // of a FIFO, for somebody on its other side
