package release

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/sign"
)

func rollbackCommand(env *ledgerEnv) *cli.Command {
	return &cli.Command{
		Name:      "rollback",
		Usage:     "take a release from its channel, or record that it is done",
		ArgsUsage: "LEDGER",
		Description: `Records that somebody takes a release back, and names the bundle to return to and the
deadline that the policy sets. A bundle that was rolled back is never promoted: the
version can move up again only as a new canary. One that was rolled back before stays as
it is, and is the same answer.

--done closes the clock of a rollback: it says how long it took, from the end of the
window that triggered it, and records E_ROLLBACK_DEADLINE if that was too long (exit 2).

Example:
  relseal release rollback ledger --release sha256:... --actor ann --reason 'checkout fails' --key release.key
  relseal release rollback ledger --done --release sha256:... --key release.key`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "release", Usage: "the release to take back, `BUNDLE`: its bundle.id or its file"},
			&cli.StringFlag{Name: "reason", Usage: "why"},
			&cli.BoolFlag{Name: "done", Usage: "the release is back where the rollback leads"},
			ui.AccountFlag(),
		}, append(ui.SigningFlags(), append(knownFlags(), ui.JSONFlag())...)...),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "LEDGER"); err != nil {
				return err
			}
			if err := ui.Need(c, "release", "key"); err != nil {
				return err
			}
			if !c.Bool("done") {
				if err := ui.Need(c, "reason"); err != nil {
					return err
				}
			}
			return env.rollBack(c)
		},
	}
}

// rollbackResult is what release rollback says.
type rollbackResult struct {
	Schema     string        `json:"schema"`
	Release    sign.Digest   `json:"release"`
	Channel    string        `json:"channel"`
	ReturnTo   *sign.Digest  `json:"return_to"`
	K          int64         `json:"k"`
	TimeMS     int64         `json:"time_ms"`
	New        bool          `json:"new"` // false: what was asked for was recorded before
	DeadlineMS *int64        `json:"deadline_ms"`
	Done       *rollbackDone `json:"done"` // null: under way
	remembered
}

type rollbackDone struct {
	K       int64   `json:"k"`
	OK      bool    `json:"ok"`
	Reason  *string `json:"reason"`
	TotalMS *int64  `json:"total_ms"`
}

func (env *ledgerEnv) rollBack(c *cli.Context) error {
	id, err := bundleID(c.String("release"))
	if err != nil {
		return err
	}
	l, _, err := env.openLedger(c, c.Args().First(), bundleFile(c.String("release"))...)
	if err != nil {
		return err
	}
	defer l.Close()
	var t *ledger.Rollback
	before := l.K
	if c.Bool("done") {
		t, err = l.Done(id, ui.Account(c))
	} else {
		t, err = l.Rollback(id, ui.Account(c), c.String("reason"))
	}
	if err != nil {
		return err
	}
	known, end := env.remembered()
	result := rollbackResult{"relseal/release-rollback/v1", t.Source.Bundle, t.Channel, t.To, t.Event.K, t.Event.TimeMS, l.K != before, t.DeadlineMS, nil, known}
	text := ""
	if !result.New {
		text = fmt.Sprintf("recorded before: it was rolled back at %s\n", ui.InstantText(t.Event.TimeMS))
	}
	if !c.Bool("done") {
		text += rollbackText(t)
	}
	d := t.Done
	if d != nil {
		result.Done = &rollbackDone{t.DoneK, d.OK, d.Reason, d.TotalMS}
		text += doneText(t)
	}
	if err := env.PrintDone(c, result, text+end); err != nil || !c.Bool("done") || d.OK {
		return err
	}
	return &ui.Answer{Code: ui.ExitReject, Hint: "relseal explain " + *d.Reason + " says what it means"}
}

func doneText(t *ledger.Rollback) string {
	text := fmt.Sprintf("the rollback of %s is done, event %d\n", t.Source.Bundle, t.DoneK)
	if ms := t.Done.TotalMS; ms != nil {
		from := "the end of the window that triggered it"
		if t.Decision == nil {
			from = "the command"
		}
		text += fmt.Sprintf("  it took %d ms from %s\n", *ms, from)
	}
	if why := t.Done.Reason; why != nil {
		text += fmt.Sprintf("  %s\n", *why)
	}
	return text
}
