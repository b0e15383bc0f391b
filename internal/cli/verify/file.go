package verify

import (
	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/verify"
)

// FileCommand returns the command verify.
func FileCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "check a file that you hold, or a bundle, with a public key, offline",
		ArgsUsage: "FILE...",
		Description: `Says of each FILE which artifact of which release it is: VERIFIED (exit 0), UNDECIDABLE
(1) or REJECT (2), also if it is none. The bundle that names it is looked for beside it,
or is the one of --bundle; of several that name it each is shown, and the worst answer
counts. The other artifacts of a release need not be there.
A FILE that is named *.audit.tar.zst or *.release.tar.zst, or a directory with a manifest,
is judged as by verify-bundle. What a run made and no release has is UNDECIDABLE.

Example:
  relseal verify greetd --key release.pub
  relseal verify greetd greetctl --bundle greetd-1.0.0.release.tar.zst --key release.pub
  relseal verify Downloads/greetd --root 1.root.json --for-install --at now --expect product=greetd`,
		Flags: append(ui.JudgeFlags(),
			&cli.StringSliceFlag{Name: "bundle", Usage: "look for the files in the bundle `B` alone; may be repeated"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { engine.Frugal(1); return runVerifyFile(env, c) },
	}
}

func runVerifyFile(env *ui.Env, c *cli.Context) error {
	if c.NArg() == 0 {
		return ui.ExactArgs(c, "FILE")
	}
	if err := ui.TrustGiven(c); err != nil {
		return err
	}
	o, err := ui.VerifyOptions(c)
	if err != nil {
		return err
	}
	q := inquiry.Inquiry{Options: o, Bundles: c.StringSlice("bundle"), Watch: env.Watch}
	r, err := q.Ask(c.Context, c.Args().Slice())
	if err != nil {
		return err
	}
	if err := env.Print(c, r, r.Text()); err != nil {
		return err
	}
	switch {
	case r.Failed != nil:
		return r.Failed
	case r.Worst == verify.Verified:
		return nil
	case r.Report != nil:
		return ui.AnswerTo(r.Report)
	case r.Worst == verify.Undecidable:
		return &ui.Answer{Code: ui.ExitUndecidable}
	}
	return &ui.Answer{Code: ui.ExitReject}
}
