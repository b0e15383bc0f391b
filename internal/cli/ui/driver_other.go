//go:build !unix

package ui

import "errors"

// replaceProcess is not there: the other program is a child of this one.
func replaceProcess(string, []string) error { return errors.ErrUnsupported }
