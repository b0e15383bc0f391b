package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
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

// TrustGiven refuses a command that names nobody to trust, or both ways.
func TrustGiven(c *cli.Context) error {
	name := c.Command.HelpName
	if !c.IsSet("root") {
		if len(c.StringSlice("key")) == 0 {
			return UsageHint(name+": no key given; trust comes from you alone", "--key release.pub, with a key from a channel that you trust")
		}
		for _, f := range []string{"root-dir", "at", "for-install"} {
			if c.IsSet(f) {
				return UsageHint(fmt.Sprintf("%s: --%s without --root", name, f), "--root 1.root.json, from a channel that you trust")
			}
		}
		return nil
	}
	if len(c.StringSlice("key")) > 0 {
		return UsageHint(name+": --key and --root exclude each other", "a root says which keys to trust, and for what")
	}
	if c.Bool("for-install") && !c.IsSet("at") {
		return UsageHint(name+": --for-install without --at", "--at now takes the clock of this machine")
	}
	return nil
}

// RootOptions reads the flags of a root into o.
func RootOptions(c *cli.Context, o *verify.Options) error {
	chain, err := keys.LoadRoot(c.String("root"), c.String("root-dir"))
	if e, ok := errors.AsType[*root.Error](err); ok {
		return hint.With(err, "relseal explain "+string(e.FindingCode()))
	}
	if err != nil {
		return err
	}
	o.Root, o.Install = chain, c.Bool("for-install")
	at, err := TimeFlag(c, "at")
	if err != nil {
		return err
	}
	o.At = at.Time
	if c.String("at") == "now" {
		o.At = time.Now() // with its fraction: what was rolled back in this second is not later
	}
	authority, findings := chain.Walk(nil)
	for _, f := range findings {
		if f.Verdict == verify.Reject {
			return hint.With(fmt.Errorf("%s: %s: %s", c.String("root-dir"), f.Code, f.Text), "relseal trust show "+ShellQuote(c.String("root-dir")))
		}
	}
	if walked, ok := authority.(*root.Chain); ok && len(findings) == 0 {
		o.Root = walked // so that each bundle of many need not go the same way again
	}
	o.Later, o.Dates, err = givenLedger(c.String("ledger"), verify.LedgerKeys(authority), authority)
	return err
}

// givenLedger reads the ledger of --ledger, if it is given; without an authority it dates
// nothing.
func givenLedger(name string, keys sign.Verifiers, authority sign.Authority) (*verify.Later, verify.Dates, error) {
	if name == "" {
		return nil, nil, nil
	}
	file, err := LedgerFile(name)
	if err != nil {
		return nil, nil, err
	}
	f, err := regular.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	var dates verify.Dates
	if authority != nil {
		if dates, err = verify.ReadDatings(f, authority); err != nil {
			return nil, nil, ofLedger(name, err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, nil, err
		}
	}
	later, err := verify.ReadLater(f, keys)
	return later, dates, ofLedger(name, err)
}

func ofLedger(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// Newest makes the bundles of one call be judged by the newest version of the root that
// any of them brings: what one of them shows to be revoked is so for the others. A bundle
// that cannot be read, or brings what does not follow, is judged for that in its turn.
func Newest(ctx context.Context, o *verify.Options, bundles []string) error {
	chain, ok := o.Root.(*root.Chain)
	if !ok || len(bundles) < 2 {
		return nil
	}
	for more := true; more; {
		_, before := chain.Versions()
		more = false
		for _, name := range bundles {
			if err := ctx.Err(); err != nil {
				return err
			}
			if copies, err := verify.RootCopies(name); err == nil {
				more = chain.Learn(copies) || more
			}
		}
		if _, last := chain.Versions(); last == before {
			return nil
		}
	}
	return nil
}

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
