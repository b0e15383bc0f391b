//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

var interrupts = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// catchBrokenPipe makes a write to a closed pipe an error instead of the end of
// the process. The signal is caught, not ignored: children would inherit that.
func catchBrokenPipe() (stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGPIPE)
	return func() { signal.Stop(c) }
}
