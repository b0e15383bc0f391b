//go:build !unix

package capture

import (
	"io/fs"
	"os/exec"
)

// executable reports whether a file may be run; Windows goes by its extension.
func executable(string, fs.FileInfo) bool { return true }

// isolate cannot do more here than kill the process itself.
func isolate(cmd *exec.Cmd) (kill func()) { return func() {} }
