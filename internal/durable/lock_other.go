//go:build (!unix || solaris || illumos || aix) && !windows

package durable

import (
	"errors"
	"os"
)

func lock(*os.File, bool) error { return errors.ErrUnsupported }

func release(*os.File) error { return errors.ErrUnsupported }

func again(*os.File) (*os.File, error) { return nil, errors.ErrUnsupported }
