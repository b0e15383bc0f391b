//go:build !linux

package durable

import (
	"errors"
	"io/fs"
	"os"
)

// unnamed returns nil: every file has a name here.
func unnamed(string, fs.FileMode) *os.File { return nil }

func name(*os.File, string) error { return errors.ErrUnsupported }
