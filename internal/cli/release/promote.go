package release

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/internal/signer"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
	"github.com/relseal/relseal/verify"
)

func promoteCommand(env *ledgerEnv) *cli.Command {
	return &cli.Command{
		Name:      "promote",
		Usage:     "decide about a bundle, and move it to the next channel if its windows allow it",
		ArgsUsage: "BUNDLE",
		Description: `Verifies BUNDLE with the public half of the key and with --trust, and decides by every
window that the ledger has of it, now:

  PROMOTE      records it, seals the bundle of the next channel with windows, decision,
               ledger and evidence, verifies it, records it (exit 0)
  HOLD, UNDECIDABLE      says what is missing and writes nothing (exit 1)
  ROLLBACK     records it, names the bundle to return to and the deadline (exit 2); so
               does a bundle that was rolled back before

A promotion that was interrupted is finished by the same call. --override signs with your
name and reason that it goes on although something is unmet; no trigger, no missing window
and no late policy can be overridden, and every verification will say so.

Example:
  relseal release promote canary.release.tar.zst --ledger ledger --key release.key --out stable.release.tar.zst`,
		Flags: append([]cli.Flag{
			ledgerFlag(),
			&cli.StringFlag{Name: "out", Usage: "write the new bundle to `F`"},
			&cli.StringFlag{Name: "seal-key", Usage: "seal the new bundle with the private key in `F` instead of the ledger's"},
			&cli.StringFlag{Name: "override", Usage: "promote although something is unmet, for this `REASON`; needs --actor"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file of --out"},
		}, append(sourceFlags(), append(ui.SigningFlags(), append(knownFlags(), ui.JSONFlag())...)...)...),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "BUNDLE"); err != nil {
				return err
			}
			if err := ui.Need(c, "ledger", "key", "out"); err != nil {
				return err
			}
			if c.IsSet("override") && !c.IsSet("actor") {
				return ui.UsageHint(c.Command.HelpName+": --override needs --actor", "it records who takes the responsibility")
			}
			return env.promote(c)
		},
	}
}

// promoteResult is what release promote says.
type promoteResult struct {
	Schema     string          `json:"schema"`
	Outcome    gates.Outcome   `json:"outcome"`
	Release    sign.Digest     `json:"release"`
	Version    string          `json:"version"`
	From       string          `json:"from"`
	To         *string         `json:"to"`       // null unless it moved up
	Decision   *sign.Digest    `json:"decision"` // its digest, null where no policy can judge
	Alerts     []string        `json:"alerts"`
	Unmet      []string        `json:"unmet"` // what stood between, also where it was overridden
	K          *int64          `json:"k"`     // the event promote or rollback
	Resumed    bool            `json:"resumed"`
	Overridden bool            `json:"overridden"`
	File       *string         `json:"file"`
	ID         *sign.Digest    `json:"id"`
	Verdict    *verify.Verdict `json:"verdict"`
	ReturnTo   *sign.Digest    `json:"return_to"`
	DeadlineMS *int64          `json:"deadline_ms"`
	remembered
}

func (env *ledgerEnv) promote(c *cli.Context) error {
	l, key, err := env.openLedger(c, c.String("ledger"), c.Args().First())
	if err != nil {
		return err
	}
	defer l.Close()
	known, err := ui.ReleaseOptions(c, key)
	if err != nil {
		return err
	}
	seal := key
	if file := c.String("seal-key"); file != "" {
		if seal, err = env.Keyring().Open(c.Context, ui.From(c, signer.Request{File: file})); err != nil {
			return err
		}
	}
	source, out := c.Args().First(), c.String("out")
	b, err := env.readBundle(c, source, known)
	if err != nil {
		return err
	}
	r := l.State.Release(b.ID)
	resumes := r != nil && r.Move != nil // then a file may be there already
	if _, err := os.Lstat(out); err == nil && !c.Bool("force") && !resumes {
		return ui.Exists(out)
	}
	var over *release.Override
	if c.IsSet("override") {
		over = &release.Override{Actor: c.String("actor"), Reason: c.String("override")}
	}
	durable.Sweep(filepath.Dir(out)) // a call that was killed may have left a file beside the bundle that it made
	p := &pack.Promoter{Source: source, File: out, Replace: c.Bool("force"), Key: wrap.New(seal), Known: known}
	o, err := l.Promote(c.Context, b, p, over)
	if errors.Is(err, fs.ErrExist) {
		return ui.Exists(out)
	}
	if err != nil {
		return err
	}
	return env.promoted(c, o, p)
}

func (env *ledgerEnv) promoted(c *cli.Context, o release.Outcome, p *pack.Promoter) error {
	result := promoteResult{Schema: "relseal/release-promote/v1", Release: o.Source.Bundle, Version: o.Source.Version, From: o.Source.Channel, Alerts: []string{}, Unmet: []string{}, Resumed: o.Resumed}
	j, text := o.Judgement, ""
	if j == nil && o.Move != nil {
		j = o.Move.Judgement
		text = fmt.Sprintf("the promotion was recorded as event %d\n", o.Move.K)
	}
	if j != nil {
		result.Outcome, result.Unmet = j.Outcome(), j.Unmet()
		if j.Policy != nil {
			result.Decision, result.Alerts = &j.Digest, j.Decision.Alerts
		}
		text += j.Explain()
	}
	var answer error
	switch {
	case o.Move != nil:
		result.Outcome, result.To, result.K, result.Overridden = gates.Promote, &o.Move.To, &o.Move.K, o.Move.Override != nil
		result.File, result.ID, result.Verdict = &p.File, &o.Sealed.Bundle, &p.Sealed.Report.Verdict
		if over := o.Move.Override; over != nil {
			text += fmt.Sprintf("overridden by %s: %s\n", escape.Line(over.Actor), escape.Line(over.Reason))
		}
		text += fmt.Sprintf("%s (%s)\n  release  %s\n           %s %s\n", o.Source.Version, o.Move.To, escape.Line(p.File), p.Sealed.Report.Verdict, o.Sealed.Bundle)
	case o.Rollback != nil:
		result.Outcome = gates.Rollback
		result.K, result.ReturnTo, result.DeadlineMS = &o.Rollback.Event.K, o.Rollback.To, o.Rollback.DeadlineMS
		next := rollBackNow
		if o.Rollback.Done == nil {
			text += rollbackText(o.Rollback)
		} else {
			text += fmt.Sprintf("%s was rolled back from %s by event %d\n", o.Rollback.Source.Bundle, o.Rollback.Channel, o.Rollback.Event.K)
		}
		if j == nil {
			next = "cut the version again: a release moves up only as a new canary"
		}
		answer = &ui.Answer{Code: ui.ExitReject, Hint: next}
	default:
		answer = &ui.Answer{Code: ui.ExitUndecidable, Hint: "nothing was written; relseal release status says what it waits for"}
	}
	var end string
	result.remembered, end = env.remembered()
	if err := env.PrintDone(c, result, text+end); err != nil {
		return err
	}
	return answer
}
