//go:build !linux

package clock

// bootClock: no name for the boot that every system offers without privileges.
func bootClock() *Clock { return nil }

func synchronised() bool { return false }
