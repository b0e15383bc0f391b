//go:build unix

package private

import "io/fs"

// modes says that permission bits mean something here.
const modes = true

// exposed reports whether group or others may do anything with a file of this
// mode: ssh's rule. Whoever may write it can put another key there.
func exposed(mode fs.FileMode) bool { return mode.Perm()&0o077 != 0 }
