//go:build !unix

package private

import "io/fs"

// modes says that permission bits mean nothing here: Windows has access lists,
// which Go does not show in a file's mode.
const modes = false

func exposed(fs.FileMode) bool { return false }
