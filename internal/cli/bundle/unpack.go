package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/verify"
)

func unpackCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "unpack",
		Usage:     "verify a bundle and write its files into a new directory",
		ArgsUsage: "BUNDLE",
		Description: `Nothing is written unless the bundle is VERIFIED, or UNDECIDABLE and that is allowed.
DIR must not exist and appears whole or not at all. It holds what the signed manifest
pins and the signatures that verified: nothing else, and nothing outside of DIR.

Example:
  relseal bundle unpack greetd-1.0.0.release.tar.zst --key release.pub --out greetd-1.0.0
  relseal bundle unpack greetd-1.0.0.release.tar.zst --root 1.root.json --for-install --at now --out greetd-1.0.0`,
		Flags: append(append([]cli.Flag{
			&cli.StringSliceFlag{Name: "key", Usage: "trust the public key in `FILE`, or every *.pub of a directory; may be repeated"},
		}, ui.RootFlags()...),
			&cli.BoolFlag{Name: "for-install", Usage: "reject under a root that has expired at --at"},
			ui.HistoryFlag(),
			&cli.StringFlag{Name: "out", Usage: "write the files into the new directory `DIR`"},
			&cli.StringFlag{Name: "artifacts", Usage: "look in `DIR` for artifacts that the bundle does not contain"},
			&cli.BoolFlag{Name: "allow-undecidable", Usage: "unpack a bundle that is UNDECIDABLE, too"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return unpack(env, c) },
	}
}

type unpackResult struct {
	Schema  string          `json:"schema"`
	Verdict verify.Verdict  `json:"verdict"`
	Bundle  verify.Identity `json:"bundle"`
	Out     *string         `json:"out"` // null: nothing was written
	Files   int             `json:"files"`
	Bytes   int64           `json:"bytes"`
	LeftOut []string        `json:"left_out"`
}

func unpack(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "BUNDLE"); err != nil {
		return err
	}
	if err := ui.TrustGiven(c); err != nil {
		return err
	}
	dir := c.String("out")
	if dir == "" {
		return ui.UsageHint("relseal bundle unpack: --out is missing", "--out DIR, a directory that does not exist yet")
	}
	if _, err := os.Lstat(dir); err == nil {
		return ui.InTheWay(dir)
	}
	o, err := ui.VerifyOptions(c)
	if err != nil {
		return err
	}
	name := c.Args().First()
	report, err := verify.File(c.Context, name, o)
	if report == nil {
		return err
	}
	result := unpackResult{Schema: "relseal/unpack/v1", Verdict: report.Verdict, Bundle: report.Bundle, LeftOut: []string{}}
	if !report.Valid && !(report.Verdict == verify.Undecidable && c.Bool("allow-undecidable")) {
		if err := env.Print(c, result, report.Summary()+"nothing was written\n"); err != nil {
			return err
		}
		return ui.AnswerTo(report)
	}
	done, err := pack.Unpack(c.Context, name, dir, report, o)
	if errors.Is(err, fs.ErrExist) {
		return ui.InTheWay(dir)
	}
	if err != nil {
		return err
	}
	result.Out, result.Files, result.Bytes = &dir, done.Files, done.Bytes
	result.LeftOut = append(result.LeftOut, done.Left...)
	return env.PrintDone(c, result, unpackText(result))
}

func unpackText(r unpackResult) string {
	var w strings.Builder
	fmt.Fprintf(&w, "%s  %s\n  wrote %s, %s, into %s\n", r.Verdict, r.Bundle, ui.Counted(r.Files, "file"), ui.Counted(int(r.Bytes), "byte"), *r.Out)
	for _, path := range r.LeftOut {
		fmt.Fprintf(&w, "  left out: %s, which no trusted key vouches for\n", escape.Line(path))
	}
	return w.String()
}
