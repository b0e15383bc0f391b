package trail

import (
	"os"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/known"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/trail"
	"github.com/relseal/relseal/verify"
)

func verifyCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "check a trail with a public key, offline",
		ArgsUsage: "DIR|FILE",
		Description: `Checks every line of a trail that is in no bundle and prints the answer: VERIFIED
(exit 0), UNDECIDABLE (1) or REJECT (2). A run that is not closed, and one that ends in
the middle of a line, is UNDECIDABLE: nobody knows what came after. Only a trail that ends
in trail.close is said to be complete. Nothing in a trail is trusted: only the keys that
you name. A ledger never closes: what --known knows of it shows that its end was not cut
before that.

Example:
  relseal trail verify DIR --key release.pub
  relseal trail verify audit/trail.jsonl --key release.pub --json | jq .verdict`,
		Flags: []cli.Flag{ui.TrustFlag(), ui.KnownFlag(), ui.PlainFlag(), ui.JSONFlag()},
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "DIR|FILE"); err != nil {
				return err
			}
			if len(c.StringSlice("key")) == 0 {
				return ui.UsageHint(c.Command.HelpName+": no key given; trust comes from you alone",
					"--key release.pub, with a key from a channel that you trust")
			}
			return trailVerify(env, c)
		},
	}
}

func trailVerify(env *ui.Env, c *cli.Context) error {
	file, err := ui.TrailFile(c.Args().First())
	if err != nil {
		return err
	}
	trusted, err := keys.LoadTrusted(c.StringSlice("key"))
	if err != nil {
		return err
	}
	var heads []release.KnownHead
	for _, arg := range c.StringSlice("known") {
		more, err := known.Parse(arg)
		if err != nil {
			return err
		}
		heads = append(heads, more...)
	}
	f, err := regular.Given(c.Context, file)
	if err != nil {
		return err
	}
	defer f.Close()
	p := new(verify.Progress)
	if info, err := os.Stat(file); err == nil {
		p.Of.Store(info.Size()) // 0 of a pipe
	}
	stop := env.Watch(file, p)
	r, err := trail.Judge(p.Count(regular.UntilDone(c.Context, f)), audit.CheckOptions{Keys: trusted, Plain: c.Bool("plain"), Judged: &p.Events}, heads...)
	stop()
	if err != nil {
		return err
	}
	if err := env.Print(c, r, r.Summary()); err != nil {
		return err
	}
	return ui.AnswerToTrail(r)
}
