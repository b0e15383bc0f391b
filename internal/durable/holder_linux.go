package durable

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// holderOf returns who has the lock on f, as far as the system says: one of this
// machine and, in a container, of this container.
func holderOf(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return someone
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	locks, err := os.ReadFile("/proc/locks")
	if err != nil || !ok {
		return someone
	}
	// 1: FLOCK  ADVISORY  WRITE 4711 fe:01:1234 0 EOF; some file systems have another
	// number there than stat tells, so the inode has to do.
	inode := ":" + strconv.FormatUint(stat.Ino, 10)
	for line := range strings.Lines(string(locks)) {
		w := strings.Fields(line)
		if len(w) < 6 || w[1] != "FLOCK" || !strings.HasSuffix(w[5], inode) {
			continue
		}
		if pid, err := strconv.Atoi(w[4]); err == nil && pid > 0 && holds(pid, info) {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			return strings.TrimSpace(fmt.Sprintf("process %d %+q", pid, strings.TrimSpace(string(name))))
		}
	}
	return someone
}

// holds reports whether the process has the file open, as far as that can be seen.
func holds(pid int, file os.FileInfo) bool {
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		return true // of another user
	}
	for _, fd := range fds {
		if info, err := os.Stat(dir + fd.Name()); err == nil && os.SameFile(info, file) {
			return true
		}
	}
	return false
}
