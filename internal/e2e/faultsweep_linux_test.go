package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// faults are what the medium may answer, by system call.
var faults = []struct {
	call   string
	errors []string
}{
	{"openat", []string{"EIO", "EMFILE", "EACCES"}},
	{"read", []string{"EIO"}},
	{"pread64", []string{"EIO"}},
	{"write", []string{"EIO", "ENOSPC"}},
	{"pwrite64", []string{"EIO", "ENOSPC"}},
	{"fsync", []string{"EIO"}},
	{"fdatasync", []string{"EIO"}},
	{"newfstatat", []string{"EIO", "EACCES"}},
	{"fstat", []string{"EIO"}},
	{"getdents64", []string{"EIO"}},
	{"renameat", []string{"EIO", "ENOSPC"}},
	{"renameat2", []string{"EIO", "ENOSPC"}},
	{"linkat", []string{"EIO", "ENOSPC"}},
	{"unlinkat", []string{"EIO"}},
	{"mkdirat", []string{"EIO", "ENOSPC"}},
	{"ftruncate", []string{"EIO"}},
	{"flock", []string{"EIO"}},
}

// mediumCodes are how a command may end of which the medium failed: input, no place for the
// output, input and output. 0 is a fault that was mended or that nobody needed.
const mediumCodes = "0 66 73 74"

// answers are commands that only answer, about what is in order: a fault of the medium
// must not become a verdict.
var answers = []scenario{
	{name: "verify-bundle of a directory", prepare: aProject + "relseal cut . >/dev/null; relseal bundle unpack dist/*.release.tar.zst --key k.pub --out u >/dev/null\n",
		command: []string{"verify-bundle", "u", "--key", "k.pub"}},
	{name: "verify-bundle", prepare: aProject + "relseal cut . >/dev/null\n",
		command: []string{"verify-bundle", "dist/demo-1.0.0.release.tar.zst", "--key", "k.pub", "--artifacts", "."}},
	{name: "verify of a file", prepare: aProject + "relseal cut . >/dev/null\n",
		command: []string{"verify", "demo", "--bundle", "dist/demo-1.0.0.release.tar.zst", "--key", "k.pub"}},
	{name: "bundle unpack", prepare: aProject + "relseal cut . >/dev/null; relseal bundle unpack dist/*.release.tar.zst --key k.pub --out u >/dev/null\n",
		command: []string{"bundle", "unpack", "u", "--key", "k.pub", "--out", "new"}},
	{name: "envlock check", prepare: "relseal envlock capture --out e.json >/dev/null 2>&1 || test -e e.json\n",
		command: []string{"envlock", "check", "e.json"}, denied: "1"}, // a fact is not known
	{name: "trail verify", prepare: aProject + "relseal cut . >/dev/null; cp -r .relseal/runs/* run\n",
		command: []string{"trail", "verify", "run", "--key", "k.pub"}},
	{name: "release status", prepare: aLedger,
		command: []string{"release", "status", "ledger", "--key", "k.pub"}},
	{name: "gate decide", prepare: aLedger + "cat a b >ab\n",
		command: []string{"gate", "decide", "--policy", "gates.yaml", "--windows", "ab", "--channel", "canary"}},
}

// TestFaultSweep lets the system calls of a command fail one by one. No fault is a
// verdict, nothing that the command said was done is lost, and the next call is not blocked.
func TestFaultSweep(t *testing.T) {
	strace := tracer(t)
	bin := relseal(t)
	for _, s := range append(append([]scenario{}, answers...), scenarios...) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			sweep(t, strace, bin, s)
		})
	}
}

// A fault is a system call that fails: the nth of its name in a thread, of any thread
// of relseal and of what it starts.
type fault struct {
	call, errno string
	n           int
}

func (f fault) String() string { return fmt.Sprintf("%s number %d: %s", f.call, f.n, f.errno) }

func sweep(t *testing.T, strace, bin string, s scenario) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := player{t: t, bin: bin, top: filepath.Join(base, "top")}
	p.prepare(s)
	good, all := p.possible(strace, s.command)
	if good.code == 1 && s.writes || good.code != 1 && good.code != 0 || s.name != "envlock check" && good.code != 0 {
		t.Fatalf("without a fault: exit %d\n%s", good.code, good)
	}
	ran, most := 0, atMost(10, 80)
	for _, f := range all {
		if ran == most {
			break
		}
		p.restore()
		r, injected := p.inject(strace, f, s.command)
		if !injected {
			continue // this time no thread had so many calls
		}
		ran++
		p.before = f.String()
		denied := ""
		if f.errno == "EACCES" {
			denied = s.denied
		}
		p.judge(s, good.code, r, denied)
	}
	t.Logf("%d of %d faults", ran, len(all))
}

// judge holds the end of a command of which the medium failed, and what it left, to
// the rules. It may end as without a fault, too, or with one of more.
func (p player) judge(s scenario, good int, r ended, more string) {
	p.t.Helper()
	codes := " " + mediumCodes + " " + more + " "
	if good == 1 {
		codes += "1 "
	}
	byItself := r.code == 2 && s.trails != "" && p.stepFailed(s.trails)
	if !byItself && !strings.Contains(codes, " "+itoa(r.code)+" ") {
		p.t.Fatalf("%s: exit %d\n%s", p.before, r.code, r)
	}
	if r.code != 0 && r.code != good && r.stdout+r.stderr == "" && !strings.HasPrefix(p.before, "write ") { // the word itself, say
		p.t.Errorf("%s: exit %d and no word why", p.before, r.code)
	}
	if s.after != nil {
		s.after(p, r.code == 0)
	}
	if p.t.Failed() {
		p.t.FailNow() // one fault that goes wrong is enough to look at
	}
}

// TestFewDescriptors lets commands open few files, as many systems let them.
func TestFewDescriptors(t *testing.T) {
	need(t, "sh")
	bin := relseal(t)
	for _, s := range append(append([]scenario{}, answers...), scenarios...) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			p := player{t: t, bin: bin, top: filepath.Join(t.TempDir(), "top")}
			p.prepare(s)
			good := run(t, p.command(s.command...)).code
			numbers := chance(t).Perm(23)
			for _, n := range numbers[:atMost(3, 23)] {
				p.restore()
				cmd := p.command(s.command...)
				cmd.Args = slices.Concat([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$@"`, 8+n), "sh", bin}, s.command)
				cmd.Path = "/bin/sh"
				p.before = fmt.Sprintf("ulimit -n %d", 8+n)
				p.judge(s, good, run(t, cmd), "")
			}
		})
	}
}

// possible returns what a command does without a fault, and the faults that it can
// meet, in an order of chance in which each kind comes once before one comes again.
func (p player) possible(strace string, args []string) (ended, []fault) {
	p.t.Helper()
	var names []string
	for _, f := range faults {
		names = append(names, f.call)
	}
	r, log := p.traced(strace, args, "-e", "trace="+strings.Join(names, ","))
	counts, most := map[string]int{}, map[string]int{}
	for _, m := range callBegin.FindAllStringSubmatch(log, -1) {
		counts[m[0]]++
		most[m[2]] = max(most[m[2]], counts[m[0]])
	}
	chosen := chance(p.t)
	var first, rest []fault
	for _, f := range faults {
		for _, errno := range f.errors {
			if n := most[f.call]; n > 0 {
				one := 1 + chosen.IntN(n)
				first = append(first, fault{f.call, errno, one})
				for i := 1; i <= n; i++ {
					if i != one {
						rest = append(rest, fault{f.call, errno, i})
					}
				}
			}
		}
	}
	for _, list := range [][]fault{first, rest} {
		chosen.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return r, append(first, rest...)
}

var callBegin = regexp.MustCompile(`(?m)^(\d+) +([a-z0-9_]+)\(`)

// inject runs relseal with a fault, and reports whether it happened.
func (p player) inject(strace string, f fault, args []string) (ended, bool) {
	p.t.Helper()
	r, log := p.traced(strace, args, "-e", "trace="+f.call, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", f.call, f.errno, f.n))
	return r, strings.Contains(log, "(INJECTED)")
}

// traced runs relseal under strace and returns what that wrote.
func (p player) traced(strace string, args []string, options ...string) (ended, string) {
	p.t.Helper()
	log := filepath.Join(filepath.Dir(p.top), "log")
	cmd := p.command(args...)
	cmd.Args = slices.Concat([]string{strace, "-f", "--seccomp-bpf", "-qq", "-o", log}, options, []string{"--", p.bin}, cmd.Args[1:])
	cmd.Path = strace
	r := run(p.t, cmd)
	data, err := os.ReadFile(log)
	if err != nil {
		p.t.Fatal(err)
	}
	return r, string(data)
}
