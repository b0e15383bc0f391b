package known

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

// Genesis reads line 0 of a ledger; nothing is verified.
func Genesis(file string) (audit.Genesis, sign.Digest, error) {
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

// Pin returns where the ledger in a file stands, for a bundle to say. Its signer counts if
// the root lets it sign ledgers, or if it is one of trusted. A ledger of which this machine
// has seen more is refused: the bundle would forget it.
func Pin(file, product string, chain *root.Chain, trusted sign.Verifiers) (release.Head, error) {
	_, h0, err := Genesis(file)
	if err != nil {
		return release.Head{}, err
	}
	var seen []release.KnownHead
	if state, err := System(); err == nil {
		h, err := state.Head(h0)
		if err != nil {
			return release.Head{}, err
		}
		if h != nil {
			seen = append(seen, *h)
		}
	}
	f, err := regular.Open(file)
	if err != nil {
		return release.Head{}, err
	}
	defer f.Close()
	head, err := release.ReadHead(f, product, ledgerKeys{chain, trusted}, seen...)
	if err == nil {
		return head, nil
	}
	err = fmt.Errorf("%s: %w", file, err)
	if _, ok := errors.AsType[*release.RefusedError](err); !ok {
		err = hint.With(err, "relseal trail verify "+hint.Quote(file)+" says everything that is wrong with it; --trust names its key")
	}
	return head, err
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
