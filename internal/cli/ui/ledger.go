package ui

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/internal/known"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

// HeadFlag is that of commands that seal a canary.
func HeadFlag() cli.Flag {
	return &cli.StringFlag{Name: "ledger", Usage: "pin in the release where the product's ledger, `LEDGER`, stands now"}
}

// LedgerHead returns where the ledger of --ledger stands, nil if none is given. Its
// signer counts if the root lets it sign ledgers, or if it is one of trusted. A ledger
// of which this machine has seen more is refused: the bundle would forget it.
func LedgerHead(c *cli.Context, product string, chain *root.Chain, trusted sign.Verifiers) (*bundle.LedgerRef, error) {
	arg := c.String("ledger")
	if arg == "" {
		return nil, nil
	}
	file, err := inquiry.LedgerFile(arg)
	if err != nil {
		return nil, err
	}
	head, err := known.Pin(file, product, chain, trusted)
	if refused, ok := errors.AsType[*release.RefusedError](err); ok {
		return nil, &Error{ExitNoInput, err, refused.Next}
	}
	if err != nil {
		return nil, err
	}
	ref := bundle.LedgerRef(head)
	return &ref, nil
}

// TrustedFor returns the sealing key and those of --trust.
func TrustedFor(c *cli.Context, own sign.PublicKey) (sign.Verifiers, error) {
	t := trustedBy{own: own}
	var err error
	if paths := c.StringSlice("trust"); len(paths) > 0 {
		t.others, err = keys.LoadTrusted(paths)
	}
	return t, err
}

// SystemClock is the clock of this machine; tests turn it.
var SystemClock = func() audit.Clock { return clock.System() }

// KnownFlag is on the commands that hold a ledger against what is known of it.
func KnownFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "known", Usage: "the ledger must hold the head that is known: `FILE|k:H_k`, of a bundle, a directory of bundles, or --head-out; may be repeated"}
}

// trustedBy trusts the sealing key and those of --trust.
type trustedBy struct {
	own    sign.PublicKey
	others *keys.Trusted
}

func (t trustedBy) Verifier(id sign.KeyID) (sign.PublicKey, bool) {
	if id == t.own.KeyID() {
		return t.own, true
	}
	return t.others.Verifier(id)
}
