package cli

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/relseal/relseal/internal/cli/ui"
)

// TestPromptEnds: whoever is asked for a passphrase can leave by Ctrl-D and Ctrl-C, and
// has a terminal that shows what is typed; also where a process of its own asks.
func TestPromptEnds(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("relseal", "init", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, args := range []string{"key generate --out k.key", "cut --new-key ."} {
		for _, tt := range []struct {
			keys, want string
			code       int
		}{
			{"\x04", "relseal: error: no passphrase was typed", ui.ExitUsage},
			{"\x03", "relseal: error: interrupted", ui.ExitInterrupted},
		} {
			ctrl, tty := openTerminal(t)
			cmd := exec.Command("relseal", strings.Fields(args)...)
			cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, tty, tty, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			seen, buf := "", make([]byte, 4096)
			until := func(text string) {
				for !strings.Contains(seen, text) {
					n, err := ctrl.Read(buf)
					if seen += string(buf[:n]); err != nil {
						t.Fatalf("%s: %q: %v", args, seen, err)
					}
				}
			}
			until("Passphrase for the new key: ")
			if _, err := ctrl.WriteString(tt.keys); err != nil {
				t.Fatal(err)
			}
			until(tt.want)
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("%s: exit %d after %q, want %d", args, code, tt.keys, tt.code)
			}
			if mode, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS); err != nil || mode.Lflag&unix.ECHO == 0 {
				t.Errorf("%s: after %q the terminal shows nothing: %v", args, tt.keys, err)
			}
		}
	}
}

// openTerminal returns the two ends of a new terminal.
func openTerminal(t *testing.T) (ctrl, tty *os.File) {
	ctrl, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { ctrl.Close() })
	if err := unix.IoctlSetPointerInt(int(ctrl.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ctrl.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return ctrl, tty
}
