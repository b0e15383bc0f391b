//go:build !linux && !darwin

package signer

// Protect does nothing: what keeps processes of one user apart here, the system
// does for all of them or for none.
func Protect() error { return nil }
