package cli

import (
	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/rundir"
)

func runShowCommand(env *environment) *cli.Command {
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
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			if err := exactArgs(c, "RUNDIR"); err != nil {
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

type runResult struct {
	Schema string `json:"schema"`
	Dir    string `json:"dir"`
	rundir.Run
}

// showRun prints what the run directory says of its run, and the command to go on
// with, if there is one.
func showRun(env *environment, c *cli.Context, dir, next string) (rundir.Run, error) {
	r, err := rundir.Read(dir)
	if err != nil {
		return r, err
	}
	text, show := runText(r), env.print
	if next != "" {
		text, show = text+"Seal the record with:\n  "+next+"\n", env.printDone
	}
	return r, show(c, runResult{"relseal/run/v1", dir, r}, text)
}

// findingsAnswer returns the error that says that the record is damaged.
func findingsAnswer(r rundir.Run) error {
	for _, f := range r.Findings {
		if f.Verdict == finding.Reject {
			return &answerError{code: exitReject, hint: "relseal explain " + string(f.Code) + " says what to do"}
		}
	}
	return nil
}
