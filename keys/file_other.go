//go:build !unix

package keys

import (
	"io/fs"
	"os"
)

func openNoWait(path string) (*os.File, error) { return os.Open(path) }

// modes says that permission bits mean nothing here: Windows has access lists,
// which Go does not show in a file's mode.
const modes = false

func exposed(fs.FileMode) bool { return false }
