package ui

import (
	"os"
	"runtime/debug"
)

// Frugal keeps garbage small while something hostile may be read, by so many workers:
// with a heap of 120 MiB, which a manifest at its limit makes, the runtime would
// otherwise let it grow to 240 before it collects. Who sets GOMEMLIMIT knows better.
func Frugal(workers int) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(workers) * 180 << 20)
	}
}

// Roomy lets garbage grow to five times what is in use before it is collected,
// within the limit of frugal. An archive is many small bundles: with hardly anything
// in use the collector would run after every few of them, and that slows many
// workers more than one.
func Roomy() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
