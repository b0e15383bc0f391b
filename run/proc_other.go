//go:build !unix

package run

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// basic are the variables that every step gets, if they are set; without the
// second line few Windows programs start.
var basic = []string{"PATH", "HOME", "TMPDIR",
	"SYSTEMROOT", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "LOCALAPPDATA", "APPDATA"}

func ownGroup(*exec.Cmd) {}

// terminate ends p and its descendants: without signals there is no asking.
func terminate(p *os.Process, pid int) {
	taskkill := filepath.Join(os.Getenv("SYSTEMROOT"), "System32", "taskkill.exe")
	exec.Command(taskkill, "/T", "/F", "/PID", strconv.Itoa(pid)).Run()
	p.Kill()
}

// kill goes by the handle: once p has ended, its number may be another's.
func kill(p *os.Process, _ int) { p.Kill() }

// alive reports false: the caller waits for p itself, the rest is not known.
func alive(int) bool { return false }

func peakMemory(*os.ProcessState) int64 { return 0 }
