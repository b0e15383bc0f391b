// Package clock reads the wall time and a monotonic time with a name.
//
// The name says which monotonic times may be compared: those of one boot of one
// machine, where the system has such a clock and a name for the boot, else
// those of one process. It is opaque and tells nothing about the machine.
package clock

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"
)

// A Clock tells the time; it implements audit.Clock. It is safe for concurrent
// use.
type Clock struct {
	name string
	mono func() int64 // microseconds, never decreasing
}

var system = sync.OnceValue(func() *Clock {
	if c := bootClock(); c != nil {
		return c
	}
	return processClock()
})

// System returns the clock of this machine: the same one on every call.
func System() *Clock { return system() }

// Now returns the wall time, the monotonic time in microseconds and the name of
// the monotonic clock: 32 lower-case hexadecimal digits.
func (c *Clock) Now() (ts time.Time, tauMonoUS int64, clock string) {
	return time.Now(), c.mono(), c.name
}

// Synchronised reports whether the system says that its wall time is kept to that of
// others. False is no word against it: many systems do not say.
func (c *Clock) Synchronised() bool { return synchronised() }

// processClock counts from its own start, under a random name.
func processClock() *Clock {
	var name [16]byte
	rand.Read(name[:]) // never fails
	start := time.Now()
	return &Clock{
		name: hex.EncodeToString(name[:]),
		mono: func() int64 { return time.Since(start).Microseconds() },
	}
}
