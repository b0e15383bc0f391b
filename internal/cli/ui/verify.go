package ui

import (
	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/engine"
	"github.com/relseal/relseal/verify"
)

// JudgeFlags say whom to trust, what to expect and how to judge.
func JudgeFlags() []cli.Flag {
	return append(append([]cli.Flag{
		&cli.StringSliceFlag{Name: "key", Usage: "trust the public key in `FILE`, or every *.pub of a directory; may be repeated"},
	}, RootFlags()...),
		&cli.BoolFlag{Name: "for-install", Usage: "reject under a root that has expired at --at"},
		HistoryFlag(),
		&cli.StringFlag{Name: "expect", Usage: "reject unless each of `LIST` holds, as in product=P,version=V: product, version, channel, newer-than (a version or a bundle), outcome (ok), commit, source (clean)"},
		&cli.BoolFlag{Name: "strict", Usage: "reject what is undecidable"},
		PlainFlag(),
	)
}

// VerifyOptions reads those flags.
func VerifyOptions(c *cli.Context) (verify.Options, error) {
	c.Context = engine.With(c.Context, engine.Options{Plain: c.Bool("plain")})
	return terms(c).Options()
}
