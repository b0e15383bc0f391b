package ui

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/internal/known"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
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
	_, h0, err := LedgerGenesis(file)
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
		return nil, &Error{ExitNoInput, fmt.Errorf("%s: %w", file, err), refused.Next}
	}
	if err != nil {
		return nil, hint.With(fmt.Errorf("%s: %w", file, err), "relseal trail verify "+hint.Quote(file)+" says everything that is wrong with it; --trust names its key")
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

// LedgerGenesis reads line 0 of a ledger; nothing is verified.
func LedgerGenesis(file string) (audit.Genesis, sign.Digest, error) {
	f, err := regular.Open(file)
	if err != nil {
		return audit.Genesis{}, sign.Digest{}, err
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, limits.Line+1)).ReadBytes('\n')
	if err != nil && err != io.EOF {
		return audit.Genesis{}, sign.Digest{}, err
	}
	h, err := audit.ParseHeader(bytes.TrimSuffix(line, []byte("\n")))
	if err != nil {
		return audit.Genesis{}, sign.Digest{}, hint.With(fmt.Errorf("%s: is no ledger: line 0: %w", file, err), "LEDGER is what relseal release init made")
	}
	return h.Genesis, h.H0, nil
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
