// Package bench is the command bench: how fast this machine is.
package bench

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/bench"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "bench",
		Usage: "measure relseal on this machine",
		Description: `Measures what relseal does on this machine. Nothing is left behind.

Example:
  relseal bench verify`,
		Subcommands: []*cli.Command{verifyCommand(env)},
	}
}

func verifyCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "verify",
		Usage: "measure how fast trails are verified",
		Description: `Makes a trail in a temporary directory and verifies it in turn in each of these ways,
seven times over, and prints the medians:

  verify      what trail verify and verify-bundle do
  plain       the same with --plain: no short cut is taken
  naive       straightforward: encoding/json and crypto/ed25519, one line at a time
  signatures  nothing but the signatures, by the fast way in one thread: the floor

Ratios are medians of the ratios within a round, so that other load on the machine
matters less. A short trail repays less of the tables that the fast way builds.

Example:
  relseal bench verify
  relseal bench verify --events 200000 --json`,
		Flags: []cli.Flag{
			&cli.Int64Flag{Name: "events", Value: 20_000, Usage: "the length of the trail is `N` events, at most 10000000"},
			ui.JSONFlag(),
		},
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c); err != nil {
				return err
			}
			n := c.Int64("events")
			if n < 1 || n > 10_000_000 {
				return ui.Usage(c.Command.HelpName + ": --events takes a number from 1 to 10000000")
			}
			return benchVerify(env, c, n)
		},
	}
}

func benchVerify(env *ui.Env, c *cli.Context, n int64) error {
	// It never gets its name; one that a killed process left is removed here.
	d, err := durable.NewDir(filepath.Join(os.TempDir(), "relseal-bench-"+rand.Text()))
	if err != nil {
		return err
	}
	defer d.Discard()
	env.Note("making a trail of %s", ui.Counted(n, "event"))
	t, err := bench.MakeTrail(c.Context, d.Path(), n)
	if err != nil {
		return err
	}
	r, err := t.Measure(c.Context, ui.Version, func(round int) { env.Note("round %d of %d", round, bench.Rounds) })
	if err != nil {
		return err
	}
	return env.Print(c, r, reportText(r))
}

func reportText(r *bench.Report) string {
	var w strings.Builder
	fmt.Fprintf(&w, "%s, %d bytes each; %s on %s/%s, %s; medians of %d rounds\n\n", ui.Counted(r.Events, "event"), r.Bytes/(r.Events+1),
		r.Go, r.OS, r.Arch, ui.Counted(int64(r.Processors), "processor"), r.Rounds)
	fmt.Fprintf(&w, "%-10s  %10s  %9s  %9s  %8s  %14s\n", "", "events/s", "us/event", "CPU us", "x verify", "CPU x floor")
	for _, way := range r.Ways {
		cpu, over := "-", "-"
		if way.CPU != nil {
			cpu, over = fmt.Sprintf("%.2f", float64(*way.CPU)/1000), string(*way.Over)
		}
		fmt.Fprintf(&w, "%-10s  %10d  %9.2f  %9s  %8s  %14s\n", way.Name, 1_000_000_000/max(1, way.Wall), float64(way.Wall)/1000, cpu, way.Ratio, over)
	}
	fmt.Fprintf(&w, "\nverify needs %.1f MiB of memory at most, the program itself not counted\n", float64(r.PeakMemory)/(1<<20))
	return w.String()
}
