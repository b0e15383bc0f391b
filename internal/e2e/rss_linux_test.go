package e2e

import (
	"os"
	"syscall"
)

// maxRSS returns the largest memory that a process had, in bytes.
func maxRSS(s *os.ProcessState) int64 { return s.SysUsage().(*syscall.Rusage).Maxrss << 10 }
