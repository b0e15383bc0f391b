//go:build unix

package capture

import (
	"io/fs"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/relseal/relseal/envlock"
)

// executable reports whether this process may run the file. The mode comes
// first: to root, access(2) allows more than execve(2) does on some systems.
func executable(file string, info fs.FileInfo) bool {
	return info.Mode()&0o111 != 0 && unix.Access(file, unix.X_OK) == nil
}

// isolate gives cmd a process group of its own and returns what kills it.
func isolate(cmd *exec.Cmd) (kill func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	kill = func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // ESRCH: nothing is left
	cmd.Cancel = func() error { kill(); return nil }
	return kill
}

// uname sets the facts that the running kernel tells.
func uname(c envlock.Component) {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return
	}
	c["name"] = line(unix.ByteSliceToString(u.Sysname[:]))
	c["release"] = line(unix.ByteSliceToString(u.Release[:]))
	c["version"] = line(unix.ByteSliceToString(u.Version[:]))
	c["machine"] = line(unix.ByteSliceToString(u.Machine[:]))
}
