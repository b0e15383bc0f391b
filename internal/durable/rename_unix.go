//go:build unix && !linux && !darwin

package durable

// renameNew: nothing here renames without overwriting.
func renameNew(_, _ string, linkErr error) error { return linkErr }
