package run

import (
	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/rundir"
)

func showCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show the steps of a run: status, times, sizes, the critical path",
		ArgsUsage: "RUNDIR",
		Description: `Reads the trail in RUNDIR, which is what run exec, run wrap or cut left behind, or an
unpacked AuditBundle. The run may still be under way. The critical path, marked *, is
the chain of needs that took longest. No signature is checked, for no key is given;
a chain that is broken all the same is exit 2.

Example:
  relseal run show .relseal/runs/0123456789abcdef0123456789abcdef`,
		Flags: []cli.Flag{ui.JSONFlag()},
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "RUNDIR"); err != nil {
				return err
			}
			shown, err := showRun(env, c, c.Args().First(), "")
			if err != nil {
				return err
			}
			return findingsAnswer(shown)
		},
	}
}

type result struct {
	Schema string `json:"schema"`
	Dir    string `json:"dir"`
	rundir.Run
}

// showRun prints what the run directory says of its run, and the command to go on
// with, if there is one.
func showRun(env *ui.Env, c *cli.Context, dir, next string) (rundir.Run, error) {
	r, err := rundir.Read(dir)
	if err != nil {
		return r, err
	}
	text, show := runText(r), env.Print
	if next != "" {
		text, show = text+"Seal the record with:\n  "+next+"\n", env.PrintDone
	}
	return r, show(c, result{"relseal/run/v1", dir, r}, text)
}

// findingsAnswer returns the error that says that the record is damaged.
func findingsAnswer(r rundir.Run) error {
	for _, f := range r.Findings {
		if f.Verdict == finding.Reject {
			return &ui.Answer{Code: ui.ExitReject, Hint: "relseal explain " + string(f.Code) + " says what to do"}
		}
	}
	return nil
}
