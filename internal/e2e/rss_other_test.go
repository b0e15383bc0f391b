//go:build !linux

package e2e

import "os"

// maxRSS is not known: systems count in different ways.
func maxRSS(*os.ProcessState) int64 { return 0 }
