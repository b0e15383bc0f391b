//go:build !unix

package audit

import "time"

var began = time.Now()

// cpuTime returns the wall time where the system does not tell.
func cpuTime() time.Duration { return time.Since(began) }
