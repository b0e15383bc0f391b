//go:build unix

package run

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// basic are the variables that every step gets, if they are set.
var basic = []string{"PATH", "HOME", "TMPDIR"}

// ownGroup makes the command lead a process group, whose number is its own: a
// signal reaches what it started too, and Ctrl-C at the terminal does not reach
// it past us.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// The group's number stays taken while it has members, also after its leader has
// been waited for. That a signal to an empty group meets a new one would need
// the system to hand out every process number in between.
func terminate(_ *os.Process, pid int) { syscall.Kill(-pid, syscall.SIGTERM) }

func kill(_ *os.Process, pid int) { syscall.Kill(-pid, syscall.SIGKILL) }

// alive reports whether the group that pid leads has a member that runs.
func alive(pid int) bool { return syscall.Kill(-pid, 0) == nil && !onlyZombies(pid) }

// peakMemory returns bytes; the system counts KiB, except Apple's.
func peakMemory(p *os.ProcessState) int64 {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) * 1024
}
