package trail

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/sign"
)

func recoverCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "recover",
		Usage:     "set the damaged end of a trail aside, on record",
		ArgsUsage: "DIR|FILE",
		Description: `What a crash leaves of an append is cleared up by the next one. For any other damage, such
as events that were on disk and are not, a person has to decide: this shows what stands
behind the last event without a fault, and with --set-aside and its digest puts it into a
file beside the trail and the event trail.recover into its place, which says what was set
aside. Look for a copy of the trail first. A closed trail is not opened again, but one that
ends in the middle of its trail.close can be.

Example:
  relseal trail recover DIR --key F
  relseal trail recover DIR --key F --set-aside sha256:D --notes 'disk sda failed'`,
		Flags: append(ui.SigningFlags(),
			&cli.StringFlag{Name: "set-aside", Usage: "set aside what has the digest `D`"},
			&cli.StringFlag{Name: "notes", Usage: "record `TEXT` with it, such as why"},
			ui.AccountFlag(),
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "DIR|FILE"); err != nil {
				return err
			}
			if err := ui.Need(c, "key"); err != nil {
				return err
			}
			return trailRecover(env, c)
		},
	}
}

type recoverResult struct {
	Schema string      `json:"schema"`
	Trail  string      `json:"trail"`
	After  int64       `json:"after"` // the last event that stays
	Aside  audit.Aside `json:"aside"`
	File   *string     `json:"file"` // that has it now; null if nothing was set aside
	K      *int64      `json:"k"`    // the event that says so; null if it was only shown
}

// errShown ends a recovery that was only to show what it would do.
var errShown = errors.New("shown")

func trailRecover(env *ui.Env, c *cli.Context) error {
	file, err := ui.TrailFile(c.Args().First())
	if err != nil {
		return err
	}
	var agreed sign.Digest
	if c.IsSet("set-aside") {
		if agreed, err = sign.ParseDigest(c.String("set-aside")); err != nil {
			return ui.Usage(fmt.Sprintf("%s: --set-aside: %v", c.Command.HelpName, err))
		}
	}
	key, err := env.SigningKey(c)
	if err != nil {
		return err
	}
	d := audit.Draft{Actor: audit.Txt(ui.Account(c)), Code: sign.Sum([]byte(ui.Producer))}
	if notes := c.String("notes"); notes != "" {
		d.Notes = audit.Txt(notes)
	}
	r := recoverResult{Schema: "relseal/trail-recover/v1", Trail: file}
	rec, torn, err := audit.Recover(c.Context, file, key, clock.System(), d, func(k int64, a audit.Aside) error {
		r.After, r.Aside = k, a
		switch {
		case !c.IsSet("set-aside"):
			return errShown
		case a.Digest == agreed:
			return nil
		}
		return &ui.Error{Code: ui.ExitNoInput, Err: fmt.Errorf("%s: what would be set aside is %s, not %s", file, a.Digest, agreed), Hint: c.Command.HelpName + " without --set-aside shows it"}
	})
	if errors.Is(err, errShown) {
		if err := env.Print(c, r, r.text()); err != nil {
			return err
		}
		return &ui.Answer{Code: ui.ExitUndecidable, Hint: "nothing was done; look for a copy of the trail, or give --set-aside " + r.Aside.Digest.String()}
	}
	if errors.Is(err, audit.ErrSound) || errors.Is(err, audit.ErrClosed) {
		next := ""
		if errors.Is(err, audit.ErrClosed) {
			next = "if it is damaged, a copy can take its place, such as that in its bundle; if there is none, record it anew"
		}
		return &ui.Error{Code: ui.ExitNoInput, Err: fmt.Errorf("%s: %w", file, err), Hint: next}
	}
	if err != nil {
		return err
	}
	if r.K = &rec.E.K; torn.Path != "" {
		r.File = &torn.Path
	}
	return env.PrintDone(c, r, r.text())
}

func (r *recoverResult) text() string {
	a := r.Aside
	text := fmt.Sprintf("%s behind event %d, %d bytes, %s", ui.Counted(a.Lines, "line"), r.After, a.Size, a.Digest)
	if r.K == nil {
		text = "would set aside " + text + "\n"
	} else {
		text = fmt.Sprintf("event %d  %s\n  set aside %s\n", *r.K, audit.ActionRecover, text)
	}
	if r.File != nil {
		text += "  now in " + escape.Line(*r.File) + "\n"
	}
	text += "  because " + escape.Line(a.Why) + "\n"
	if a.Acknowledged != nil {
		text += fmt.Sprintf("  acknowledged up to event %d, H_k %s\n", a.Acknowledged.K, a.Acknowledged.HK)
	}
	return text
}
