//go:build !unix

package durable

import "os"

// openDir returns nil: a directory that is open cannot be renamed, and has no lock.
// What a killed process leaves of one, nobody sweeps.
func openDir(string) (*os.File, error) { return nil, nil }
