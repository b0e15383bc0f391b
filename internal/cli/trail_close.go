package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/exit"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

func trailCloseCommand(env *ui.Env) *cli.Command {
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
	status, err := statusFlag(c)
	if err != nil {
		return err
	}
	outputs, err := filesBelow(c, "output")
	if err != nil {
		return err
	}
	run, err := openTrailRun(env, c)
	if err != nil {
		return err
	}
	defer run.log.Close()
	so, err := run.progress(c.Context)
	if err != nil {
		return err
	}
	drafts := []audit.Draft{{Action: audit.ActionTrailClose}}
	if so.end == "" {
		if status, err = so.outcome(run.card, status); err != nil {
			return err
		}
		end := audit.Draft{Action: audit.ActionRunEnd, Status: status}
		if end.Outputs, err = artifacts(env, c, so, status, outputs); err != nil {
			return err
		}
		drafts = append([]audit.Draft{end}, drafts...)
	} else if c.IsSet("status") || len(outputs) > 0 {
		return ui.UsageHint(fmt.Sprintf("%s: the trail has run.end already, with status %s", c.Command.HelpName, so.end),
			"leave out --status and --output")
	}
	so.end = cmp.Or(so.end, status)
	for i := range drafts {
		drafts[i].Actor = audit.Txt(ui.Account(c))
	}
	recs, err := run.append(drafts...)
	if err != nil {
		return err
	}
	last := recs[len(recs)-1]
	return env.PrintDone(c, struct {
		Schema string      `json:"schema"`
		Run    string      `json:"run"`
		Status string      `json:"status"`
		K      int64       `json:"k"`
		HK     sign.Digest `json:"H_k"`
	}{"relseal/trail-close/v1", last.E.Run.ID, so.end, last.E.K, last.H},
		fmt.Sprintf("closed run %s: %s; the last is event %d, H_k %s\n", last.E.Run.ID, so.end, last.E.K, last.H))
}

// artifacts returns what a run that ended ok was for. One that did not has none: a
// script that closes every run with the same outputs need not know which there are.
func artifacts(env *ui.Env, c *cli.Context, so trailProgress, status string, outputs []string) ([]audit.Item, error) {
	if status != audit.StatusOK {
		if len(outputs) > 0 {
			env.Say("hint", fmt.Sprintf("a run that ended %s has no artifacts: --output is left out", status))
		}
		return nil, nil
	}
	items, err := hashOutputs(c.Context, outputs)
	if err != nil {
		_, other := errors.AsType[*regular.KindError](err)
		if other || errors.Is(err, fs.ErrNotExist) {
			err = notEndedOK("output " + exit.Text(err))
		}
		return nil, err
	}
	for _, it := range items {
		if step := so.madeOtherwise(it); step != "" {
			return nil, notEndedOK(fmt.Sprintf("output %s is not what step %s made (E_DATA_MISMATCH)", it.URI, escape.Line(step)))
		}
	}
	return items, nil
}
