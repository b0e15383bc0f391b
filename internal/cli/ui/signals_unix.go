//go:build unix

package ui

import (
	"os"
	"os/signal"
	"syscall"
)

// Interrupts are the signals that ask for an end.
var Interrupts = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// CatchBrokenPipe makes a write to a closed pipe an error instead of the end of
// the process. The signal is caught, not ignored: children would inherit that.
func CatchBrokenPipe() (stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGPIPE)
	return func() { signal.Stop(c) }
}
