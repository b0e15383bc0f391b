package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tracer returns the strace with which to look at a process, or skips the test.
func tracer(t *testing.T) string {
	t.Helper()
	need(t, "strace")
	name, _ := exec.LookPath("strace")
	if out, err := exec.Command(name, "-f", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace cannot look at a process here: %s", out)
	}
	return name
}

// TestPowerCut cuts the power after each system call of a command that changes the disk,
// loses what was not synced in one way or another, and goes on: nothing that the command
// had said was done is lost, what is there verifies, and the next call is not blocked.
func TestPowerCut(t *testing.T) {
	strace := tracer(t)
	bin := relseal(t)
	for _, s := range scenarios {
		if s.writes {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				cutEverywhere(t, strace, bin, s)
			})
		}
	}
}

func cutEverywhere(t *testing.T, strace, bin string, s scenario) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	top := filepath.Join(base, "top")
	p := player{t: t, bin: bin, top: top}
	p.prepare(s)
	d := readDisk(t, top)
	trace := filepath.Join(base, "trace")
	cmd := p.command(s.command...)
	cmd.Args = append([]string{strace, "-f", "-qq", "-y", "-xx", "-s", "67108864", "-e", "trace=" + diskCalls, "-o", trace, "--"}, append([]string{bin}, cmd.Args[1:]...)...)
	cmd.Path = strace
	if r := run(t, cmd); r.code != 0 {
		t.Fatalf("relseal %s: exit %d\n%s", strings.Join(s.command, " "), r.code, r)
	}
	calls := readTrace(t, trace)
	reached := readDisk(t, top)
	steps := 0
	for _, c := range calls {
		if d.apply(t, c) {
			steps++
		}
	}
	if diff := differ(reached.root, d.root, ""); diff != "" {
		t.Fatalf("the trace does not lead to the directory that is there: %s", diff)
	}

	// Once more, with stops between the steps.
	p.restore()
	d = readDisk(t, top)
	chosen, most, all := chance(t), atMost(8, 100), steps*len(losses)
	cuts := 0
	try := func(what string, done bool) {
		for _, l := range losses {
			if !done && chosen.IntN(all) >= most {
				continue
			}
			cuts++
			left := filepath.Join(base, fmt.Sprint("cut", cuts))
			d.lay(t, left, l)
			s.after(player{t: t, bin: bin, top: left, before: fmt.Sprintf("power cut %s; lost: %s", what, l)}, done)
			os.RemoveAll(left)
			if t.Failed() {
				t.FailNow() // one cut that goes wrong is enough to look at
			}
		}
	}
	for _, c := range calls {
		if d.apply(t, c) {
			try("after "+c.String(), false)
		}
	}
	try("after the end", true)
	t.Logf("%d of %d cuts", cuts, all+len(losses))
}

// differ names the first difference between two directories as processes see them.
func differ(a, b *inode, path string) string {
	switch {
	case a == nil || b == nil:
		return fmt.Sprintf("%s is there on one side alone", path)
	case a.dir != b.dir || a.link != b.link || string(a.data) != string(b.data):
		return fmt.Sprintf("%s differs (%d and %d bytes)", path, len(a.data), len(b.data))
	}
	names := maps.Clone(a.names)
	maps.Copy(names, b.names)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if d := differ(a.names[name], b.names[name], path+"/"+name); d != "" {
			return d
		}
	}
	return ""
}
