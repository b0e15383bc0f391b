//go:build !unix

package regular

// Where opening waits for nobody and cannot be told to follow no link, the look
// before it and the one after it have to do.
const (
	noWait   = 0
	noFollow = 0
)
