package cli

import (
	"os"
	"runtime/debug"
)

// frugal keeps garbage small while something hostile may be read: with a heap of
// 120 MiB, which a manifest at its limit makes, the runtime would otherwise let it
// grow to 240 before it collects. Who sets GOMEMLIMIT knows better.
func frugal() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(180 << 20)
	}
}
