package cli

import (
	"cmp"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/sign"
)

func trailCloseCommand(env *environment) *cli.Command {
	return &cli.Command{
		Name:      "close",
		Usage:     "end the run and close its trail",
		ArgsUsage: "DIR",
		Description: `Appends run.end with the status and the digests of the outputs, unless the trail has
one, and trail.close, after which nothing can be appended. Without --status the run
ended ok if every step of its card did. A run of which a step has not ended ok cannot
end ok: its bundle would not verify. The outputs are the artifacts of the run.

Example:
  relseal trail close DIR --key F --output out/greetd
  relseal trail close DIR --key F --status failed`,
		Flags: []cli.Flag{
			signingKeyFlag(),
			&cli.StringFlag{Name: "status", Usage: "how the run ended: ok, failed or aborted"},
			&cli.StringSliceFlag{Name: "output", Usage: "an artifact, by its path below the current directory: a `FILE`; may be repeated"},
			accountFlag(),
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			if err := exactArgs(c, "DIR"); err != nil {
				return err
			}
			if err := need(c, "key"); err != nil {
				return err
			}
			return env.trailClose(c)
		},
	}
}

func (env *environment) trailClose(c *cli.Context) error {
	status, err := statusFlag(c)
	if err != nil {
		return err
	}
	outputs, err := fileItems(c, "output")
	if err != nil {
		return err
	}
	run, err := env.openTrailRun(c, "run it on a terminal, or use a key without a passphrase")
	if err != nil {
		return err
	}
	defer run.log.Close()
	so, err := run.progress()
	if err != nil {
		return err
	}
	drafts := []audit.Draft{{Action: audit.ActionTrailClose}}
	if so.end == "" {
		if status, err = so.outcome(run.card, status); err != nil {
			return err
		}
		if len(outputs) > 0 && status != audit.StatusOK {
			return usageErrorHint(fmt.Sprintf("%s: a run that ended %s has no artifacts", c.Command.HelpName, status),
				"what its steps made stands in their events")
		}
		end := audit.Draft{Action: audit.ActionRunEnd, Status: status, Outputs: outputs}
		drafts = append([]audit.Draft{end}, drafts...)
	} else if c.IsSet("status") || len(outputs) > 0 {
		return usageErrorHint(fmt.Sprintf("%s: the trail has run.end already, with status %s", c.Command.HelpName, so.end),
			"leave out --status and --output")
	}
	so.end = cmp.Or(so.end, status)
	for i := range drafts {
		drafts[i].Actor = audit.Txt(account(c))
	}
	recs, err := run.append(drafts...)
	if err != nil {
		return err
	}
	last := recs[len(recs)-1]
	return env.print(c, struct {
		Schema string      `json:"schema"`
		Run    string      `json:"run"`
		Status string      `json:"status"`
		K      int64       `json:"k"`
		HK     sign.Digest `json:"H_k"`
	}{"relseal/trail-close/v1", last.E.Run.ID, so.end, last.E.K, last.H},
		fmt.Sprintf("closed run %s: %s; the last is event %d, H_k %s\n", last.E.Run.ID, so.end, last.E.K, last.H))
}
