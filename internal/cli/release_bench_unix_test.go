//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkLedger measures the commands that read a ledger, with 1,000, 10,000 and
// 100,000 windows of one release. They take turns, each in a process of its own. Of each
// it reports the processor time over that of trail verify in the same round, as the median
// of the rounds, and the peak of its memory in MiB.
func BenchmarkLedger(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { newLedgerBench(b, n).rounds(b) })
	}
}

// A ledgerBench is a project whose canary has many windows and may be promoted.
type ledgerBench struct {
	dir, ledger string
	size        int64
	ahead       time.Duration // of the clock: the last window has just ended
}

func newLedgerBench(b *testing.B, n int) *ledgerBench {
	l := &ledgerBench{dir: b.TempDir(), ahead: time.Duration(n) * time.Minute}
	l.ledger = filepath.Join(l.dir, "ledger", "audit", "trail.jsonl")
	unpackScript(b, "init_ci.txtar", l.dir, "gates.yaml", "start.sh")
	policy := filepath.Join(l.dir, "gates.yaml")
	text, err := os.ReadFile(policy)
	if err == nil { // a busy machine takes minutes for a round
		err = os.WriteFile(policy, bytes.Replace(text, []byte("stale_max: 2m"), []byte("stale_max: 10h"), 1), 0o644)
	}
	if err != nil {
		b.Fatal(err)
	}
	l.run(b, 0, 0, exec.Command("sh", "start.sh"))
	from := time.Now().Add(time.Second)
	l.windows(b, "windows.jsonl", from, 0, n)
	l.windows(b, "one.jsonl", from, n, n+1)
	l.run(b, 0, l.ahead, l.relseal("release observe ledger --windows windows.jsonl --release canary.release.tar.zst --key release.key"))
	info, err := os.Stat(l.ledger)
	if err != nil {
		b.Fatal(err)
	}
	l.size = info.Size()
	return l
}

// windows writes those from one number to another, of a minute each. It keeps none of them:
// a process begins with the peak of its parent.
func (l *ledgerBench) windows(b *testing.B, name string, from time.Time, first, end int) {
	f, err := os.Create(filepath.Join(l.dir, name))
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := first; i < end; i++ {
		start := from.Add(time.Duration(i) * time.Minute).UnixMilli()
		fmt.Fprintf(w, `{"id":"canary-%d","channel":"canary","start_ms":%d,"end_ms":%d,"score":"0.97","delta_rep":"0.01","delta_psd":"0.01","r_tb":"0.0002","hb_lag":"1","drop_rate":"0","incident_rate":"0"}`+"\n", i+1, start, start+60_000)
	}
	if err := cmp.Or(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
}

func (l *ledgerBench) relseal(args string) *exec.Cmd {
	return exec.Command("relseal", strings.Fields(args)...)
}

// run executes a command, which must exit with a code, and returns what it took.
func (l *ledgerBench) run(b *testing.B, code int, ahead time.Duration, cmd *exec.Cmd) (cpu time.Duration, rss int64) {
	state, err := os.MkdirTemp(l.dir, "state")
	if err != nil {
		b.Fatal(err)
	}
	cmd.Dir, cmd.Env = l.dir, append(os.Environ(), "RELSEAL_STATE_DIR="+state, fmt.Sprint("CLOCK_AHEAD=", ahead))
	if out, err := cmd.CombinedOutput(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		b.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	rss = int64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) << 10
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), rss
}

// restore takes out of the ledger what a command has appended.
func (l *ledgerBench) restore(b *testing.B) {
	if err := os.Truncate(l.ledger, l.size); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{l.ledger + ".resume", filepath.Join(l.dir, "stable.release.tar.zst")} {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			b.Fatal(err)
		}
	}
}

// ledgerCommands are what is measured, trail verify first.
var ledgerCommands = []struct {
	name, args string
	code       int
	later      time.Duration
	keep       bool // what it leaves is for the next
}{
	{"verify", "trail verify ledger --key release.pub", 0, 0, false},
	{"observe", "release observe ledger --windows one.jsonl --release canary.release.tar.zst --key release.key", 0, 0, false},
	{"hold", "release promote canary.release.tar.zst --ledger ledger --key release.key --out stable.release.tar.zst", 1, 20 * time.Hour, false},
	{"status", "release status ledger --key release.pub", 0, 0, false},
	{"decide", "gate decide --ledger ledger --channel canary", 0, 0, false},
	{"promote", "release promote canary.release.tar.zst --ledger ledger --key release.key --out stable.release.tar.zst", 0, 0, true},
	{"bundle", "verify-bundle stable.release.tar.zst --key release.pub", 0, 0, false},
}

func (l *ledgerBench) rounds(b *testing.B) {
	ratios, peak := map[string][]float64{}, map[string]int64{}
	for b.Loop() {
		var unit time.Duration
		for i, c := range ledgerCommands {
			cpu, rss := l.run(b, c.code, l.ahead+c.later, l.relseal(c.args))
			if i == 0 {
				unit = cpu
			}
			ratios[c.name] = append(ratios[c.name], cpu.Seconds()/unit.Seconds())
			peak[c.name] = max(peak[c.name], rss)
			if !c.keep {
				l.restore(b)
			}
		}
	}
	for _, c := range ledgerCommands {
		all := ratios[c.name]
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], c.name+"/verify")
		b.ReportMetric(float64(peak[c.name]>>20), c.name+"-MiB")
	}
}
