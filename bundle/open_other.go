//go:build !unix

package bundle

// openFlags is empty where opening a file neither waits nor can be told not to
// follow a link; the comparison after opening finds a replaced file.
const openFlags = 0
