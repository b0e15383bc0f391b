//go:build unix

package durable

import "os"

// openDir opens a directory to lock it.
func openDir(path string) (*os.File, error) { return os.Open(path) }
