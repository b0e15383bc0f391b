package cli

import (
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/keys"
)

func trailVerifyCommand(env *environment) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "check a trail with a public key, offline",
		ArgsUsage: "DIR|FILE",
		Description: `Checks every line of a trail that is in no bundle and prints the answer: VERIFIED
(exit 0), UNDECIDABLE (1) or REJECT (2). A run that is not closed, and one that ends in
the middle of a line, is UNDECIDABLE: nobody knows what came after. Only a trail that ends
in trail.close is said to be complete. Nothing in a trail is trusted: only the keys that
you name.

Example:
  relseal trail verify DIR --key release.pub
  relseal trail verify audit/trail.jsonl --key release.pub --json | jq .verdict`,
		Flags: []cli.Flag{trustFlag(), jsonFlag()},
		Action: func(c *cli.Context) error {
			if err := exactArgs(c, "DIR|FILE"); err != nil {
				return err
			}
			if len(c.StringSlice("key")) == 0 {
				return usageErrorHint(c.Command.HelpName+": no key given; trust comes from you alone",
					"--key release.pub, with a key from a channel that you trust")
			}
			return env.trailVerify(c)
		},
	}
}

// trustFlag is on the commands that check.
func trustFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "key", Usage: "trust the public key in `FILE`, or every *.pub of a directory; may be repeated"}
}

func (env *environment) trailVerify(c *cli.Context) error {
	file, err := trailFile(c.Args().First())
	if err != nil {
		return err
	}
	trusted, err := keys.LoadTrusted(c.StringSlice("key"))
	if err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := judgeTrail(untilDone{c.Context, f}, trusted)
	if err != nil {
		return err
	}
	if err := env.print(c, r, r.text()); err != nil {
		return err
	}
	return r.answer()
}

// judgeTrail checks a trail that is in no bundle.
func judgeTrail(r io.Reader, trusted *keys.Trusted) (*trailReport, error) {
	t := newTrailFindings()
	outcome := ""
	sum, err := audit.Check(r, audit.CheckOptions{
		Bare: true, Keys: trusted, Report: t.add,
		Event: func(rec audit.Record) {
			if rec.E.Action == audit.ActionRunEnd {
				outcome = rec.E.Status
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return newTrailReport(t, sum, outcome), nil
}
