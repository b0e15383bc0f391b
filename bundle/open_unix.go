//go:build unix

package bundle

import "syscall"

// openFlags keep an open from waiting for a writer and from following a link,
// should the file have been replaced since it was looked at.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW
