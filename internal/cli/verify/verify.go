// Package verify has the commands verify and verify-bundle: files and bundles checked.
package verify

import (
	"cmp"
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cireport"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/verify"
)

// Command returns the command verify-bundle.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "verify-bundle",
		Usage:     "check a bundle with a public key, offline",
		ArgsUsage: "BUNDLE...",
		Description: `Checks everything that a bundle claims and prints the answer: VERIFIED (exit 0),
UNDECIDABLE (1: something needed is missing) or REJECT (2: something is wrong).
BUNDLE is a .tar.zst, a .tar or the unpacked directory. No network is used, and
nothing in the bundle is trusted: only the keys that you name, or those that a trust
root names, for what it says and as long as it says.

Example:
  relseal verify-bundle greetd-1.0.0.release.tar.zst --key release.pub
  relseal verify-bundle dist/*.tar.zst --key old.pub --key new.pub --json | jq .verdict
  relseal verify-bundle dist/*.tar.zst --root 1.root.json --root-dir ROOTS --for-install --at now`,
		Flags: append(ui.JudgeFlags(),
			&cli.StringFlag{Name: "artifacts", Usage: "look in `DIR` for artifacts that the bundle does not contain; a file there that bears an artifact's name and is another rejects"},
			&cli.StringFlag{Name: "against", Usage: "say in which members a damaged document differs from `COPY`, another copy of the bundle or its run directory"},
			&cli.StringFlag{Name: "certificate", Usage: "write the report (the bytes of --json) to `FILE`"},
			&cli.StringFlag{Name: "summary", Usage: "write the text report to `FILE`"},
			&cli.StringFlag{Name: "junit", Usage: "write the results of all bundles to `FILE` as JUnit XML"},
			&cli.StringFlag{Name: "sarif", Usage: "write the findings of all bundles to `FILE` as SARIF 2.1.0"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite these files"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { engine.Frugal(1); return runVerify(env, c) },
	}
}

func runVerify(env *ui.Env, c *cli.Context) error {
	bundles := c.Args().Slice()
	if len(bundles) == 0 {
		return ui.ExactArgs(c, "BUNDLE")
	}
	if err := ui.TrustGiven(c); err != nil {
		return err
	}
	if len(bundles) > 1 && (c.IsSet("certificate") || c.IsSet("summary")) {
		return ui.Usage("relseal verify-bundle: --certificate and --summary take one bundle")
	}
	if err := checkReportFiles(c); err != nil {
		return err
	}
	o, err := ui.VerifyOptions(c)
	if err != nil {
		return err
	}
	if err := inquiry.Newest(c.Context, &o, bundles); err != nil {
		return err
	}
	var results []cireport.Result
	worst := &verify.Report{Verdict: verify.Verified}
	var failed []error // a bundle that cannot be read does not keep the others from being checked
	for _, name := range bundles {
		o.Progress = new(verify.Progress)
		stop := env.Watch(name, o.Progress)
		r, err := verify.File(c.Context, name, o)
		stop()
		if c.Context.Err() != nil {
			return c.Context.Err()
		}
		if r == nil {
			failed = append(failed, err)
			continue
		}
		results = append(results, cireport.Result{Name: name, Report: r})
		if r.Verdict != worst.Verdict && r.Verdict.Worse(worst.Verdict) == r.Verdict {
			worst = r
		}
	}
	if err := writeReportFiles(c, results); err != nil {
		return err
	}
	if err := printReports(env, c, results, len(bundles) > 1); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	err = ui.AnswerTo(worst)
	if a, ok := err.(*ui.Answer); ok && len(bundles) == 1 {
		a.Hint = cmp.Or(ui.ShelfHint(bundles[0]), a.Hint)
	}
	return err
}
