package cli

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/known"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

// headFlag is that of commands that seal a canary.
func headFlag() cli.Flag {
	return &cli.StringFlag{Name: "ledger", Usage: "pin in the release where the product's ledger, `LEDGER`, stands now"}
}

// ledgerHead returns where the ledger of --ledger stands, nil if none is given. Its
// signer counts if the root lets it sign ledgers, or if it is one of trusted. A ledger
// of which this machine has seen more is refused: the bundle would forget it.
func ledgerHead(c *cli.Context, product string, chain *root.Chain, trusted sign.Verifiers) (*bundle.LedgerRef, error) {
	arg := c.String("ledger")
	if arg == "" {
		return nil, nil
	}
	file, err := ledgerFile(arg)
	if err != nil {
		return nil, err
	}
	_, h0, err := ledgerGenesis(file)
	if err != nil {
		return nil, err
	}
	var seen []release.KnownHead
	if state, err := known.System(); err == nil {
		h, err := state.Head(h0)
		if err != nil {
			return nil, err
		}
		if h != nil {
			seen = append(seen, *h)
		}
	}
	f, err := regular.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head, err := release.ReadHead(f, product, ledgerKeys{chain, trusted}, seen...)
	if refused, ok := errors.AsType[*release.RefusedError](err); ok {
		return nil, &exitError{exitNoInput, fmt.Errorf("%s: %w", file, err), refused.Hint}
	}
	if err != nil {
		return nil, hint.With(fmt.Errorf("%s: %w", file, err), "relseal trail verify "+shellQuote(file)+" says everything that is wrong with it; --trust names its key")
	}
	ref := bundle.LedgerRef(head)
	return &ref, nil
}

// ledgerKeys are the keys that may sign a ledger: those of the root that have the
// role, and those that the caller trusts besides.
type ledgerKeys struct {
	chain *root.Chain // may be nil
	known sign.Verifiers
}

func (l ledgerKeys) Verifier(id sign.KeyID) (sign.PublicKey, bool) {
	if l.chain != nil {
		if _, ok := l.chain.Grant(sign.RoleLedger, id); ok {
			return l.chain.Verifier(id)
		}
	}
	return l.known.Verifier(id)
}

// trustedFor returns the sealing key and those of --trust.
func trustedFor(c *cli.Context, own sign.PublicKey) (sign.Verifiers, error) {
	t := trustedBy{own: own}
	var err error
	if paths := c.StringSlice("trust"); len(paths) > 0 {
		t.others, err = keys.LoadTrusted(paths)
	}
	return t, err
}
