package ui

import (
	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// HistoryFlag is for those who ask about a release of the past.
func HistoryFlag() cli.Flag {
	return &cli.BoolFlag{Name: "history", Usage: "a release that the ledger of --ledger rolled back is no reason to reject it"}
}

// PlainFlag is for those who doubt the fast way, and to hold it against.
func PlainFlag() cli.Flag {
	return &cli.BoolFlag{Name: "plain", Usage: "take no short cut in checking trails: the same report, several times as slow"}
}

// TrustFlag is on the commands that check.
func TrustFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "key", Usage: "trust the public key in `FILE`, or every *.pub of a directory; may be repeated"}
}

// RootFlags are those of every command that verifies with a trust root.
func RootFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "root", Usage: "trust the version of a trust root in `FILE`, instead of --key"},
		&cli.StringFlag{Name: "root-dir", Usage: "look for later versions of the root in `DIR`, beside the copies in the bundle"},
		&cli.StringFlag{Name: "ledger", Usage: "hold releases to what `LEDGER` says became of them; under --root it dates bundles whose key is revoked"},
		&cli.StringFlag{Name: "at", Usage: "ask how it stood at `T`: a date, a time in RFC 3339, or now"},
	}
}

// terms are what the flags say of trust, expectations and judging.
func terms(c *cli.Context) inquiry.Terms {
	archive := c.Command.Name == "reverify"
	return inquiry.Terms{
		Command: c.Command.HelpName,
		Keys:    c.StringSlice("key"), Root: c.String("root"), RootDir: c.String("root-dir"), Ledger: c.String("ledger"), At: c.String("at"),
		Install: c.Bool("for-install"), Strict: c.Bool("strict"), Expect: c.String("expect"),
		// An archive holds what was shipped, also what was taken back since, and of many
		// versions the same name has many bytes.
		History:   c.Bool("history") || archive,
		Artifacts: c.String("artifacts"), AnyName: archive, Against: c.String("against"),
	}
}

// TrustGiven refuses a command that names nobody to trust, or both ways.
func TrustGiven(c *cli.Context) error { return terms(c).Check() }

// RootOptions reads the flags of a root into o.
func RootOptions(c *cli.Context, o *verify.Options) error { return terms(c).ReadRoot(o) }

// ReleaseOptions returns how a command that seals verifies the bundles that it rests
// on: with the sealing key and those of --trust.
func ReleaseOptions(c *cli.Context, key sign.Signer) (o verify.Options, err error) {
	if o.Keys, err = TrustedFor(c, key.Public()); err != nil {
		return o, err
	}
	if dir := c.String("artifacts"); dir != "" {
		o.Artifacts, err = verify.Dir(dir)
	}
	return o, err
}
