package ui

import (
	"os"
	"runtime/debug"
)

// Roomy lets garbage grow to five times what is in use before it is collected,
// within the limit of [engine.Frugal]. An archive is many small bundles: with hardly anything
// in use the collector would run after every few of them, and that slows many
// workers more than one.
func Roomy() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
