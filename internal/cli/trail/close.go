package trail

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/trail"
)

func closeCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "close",
		Usage:     "end the run and close its trail",
		ArgsUsage: "DIR",
		Description: `Appends run.end with the status and the digests of the outputs, unless the trail has
one, and trail.close, after which nothing can be appended. Without --status the run
ended ok if every step of its card did. A run of which a step has not ended ok, or an
output is missing, cannot end ok. The outputs are the artifacts of the run; a run that
failed or was aborted has none, and its outputs are not looked at.

Example:
  relseal trail close DIR --key F --output out/greetd
  relseal trail close DIR --key F --output out/greetd --status failed`,
		Flags: append(ui.SigningFlags(),
			&cli.StringFlag{Name: "status", Usage: "how the run ended: `ok|failed|aborted`"},
			&cli.StringSliceFlag{Name: "output", Usage: "an artifact, by its path below the current directory: a `FILE`; may be repeated"},
			ui.AccountFlag(),
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "DIR"); err != nil {
				return err
			}
			if err := ui.Need(c, "key"); err != nil {
				return err
			}
			return trailClose(env, c)
		},
	}
}

func trailClose(env *ui.Env, c *cli.Context) error {
	o := trail.Ending{Actor: audit.Txt(ui.Account(c))}
	var err error
	if o.Status, err = statusFlag(c); err != nil {
		return err
	}
	if o.Outputs, err = filesBelow(c, "output"); err != nil {
		return err
	}
	run, err := openRun(env, c)
	if err != nil {
		return err
	}
	defer run.Close()
	e, err := run.End(c.Context, o, func(status string) {
		env.Say("hint", fmt.Sprintf("a run that ended %s has no artifacts: --output is left out", status))
	})
	if ended, ok := errors.AsType[*trail.EndedError](err); ok {
		return ui.UsageHint(c.Command.HelpName+": "+ended.Error(), "leave out --status and --output")
	}
	if _, ok := errors.AsType[*trail.NotOKError](err); ok {
		return &ui.Error{Code: ui.ExitReject, Err: err, Hint: "--status failed or --status aborted closes it as that"}
	}
	if err != nil {
		return err
	}
	last := e.Last
	return env.PrintDone(c, struct {
		Schema string      `json:"schema"`
		Run    string      `json:"run"`
		Status string      `json:"status"`
		K      int64       `json:"k"`
		HK     sign.Digest `json:"H_k"`
	}{"relseal/trail-close/v1", last.E.Run.ID, e.Status, last.E.K, last.H},
		fmt.Sprintf("closed run %s: %s; the last is event %d, H_k %s\n", last.E.Run.ID, e.Status, last.E.K, last.H))
}
