package run

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// onlyZombies reports whether every member of a process group has ended and
// waits to be collected. Inside a container there may be nobody to do that, and
// kill(2) counts a zombie as a member.
func onlyZombies(pgid int) bool {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		return false
	}
	want := []byte(strconv.Itoa(pgid))
	for _, name := range stats {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // gone meanwhile
		}
		// PID (NAME) STATE PPID PGRP ...; the name may hold anything.
		fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
		if len(fields) > 2 && bytes.Equal(fields[2], want) && fields[0][0] != 'Z' {
			return false
		}
	}
	return true
}
