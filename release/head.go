package release

import (
	"errors"
	"fmt"
	"io"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// ReadHead returns where a ledger stands: the head that a bundle of its product pins
// as provenance.head. A ledger that is damaged, of another product, or signed with a
// key that is not among keys, or that does not hold what is known of it, is an error; a
// torn last line was never acknowledged.
func ReadHead(r io.Reader, product string, keys sign.Verifiers, known ...KnownHead) (Head, error) {
	var fault error
	at := map[int64]sign.Digest{}
	for _, h := range known {
		at[h.K] = sign.Digest{}
	}
	o := audit.CheckOptions{Keys: keys, Bare: true, EventActions: []string{}, Report: func(f finding.Finding) {
		if f.Verdict == finding.Reject && fault == nil {
			fault = f.Err()
		}
	}}
	if len(known) > 0 {
		o.EventActions, o.Event = nil, func(r audit.Record) {
			if _, ask := at[r.E.K]; ask {
				at[r.E.K] = r.H
			}
		}
	}
	sum, err := audit.Check(r, o)
	switch {
	case err != nil:
		return Head{}, err
	case fault != nil:
		return Head{}, fault
	case sum.Genesis == nil || sum.Genesis.Purpose != audit.PurposeLedger:
		return Head{}, errors.New("not a ledger")
	case sum.Genesis.Product != "" && sum.Genesis.Product != product:
		return Head{}, fmt.Errorf("the ledger is of product %q, not of %q", sum.Genesis.Product, product)
	}
	for _, h := range known {
		if refused := Holds(h, sum.H0, sum.K, at[h.K]); refused != nil {
			return Head{}, refused
		}
	}
	return Head{H0: sum.H0, K: sum.K, HK: sum.HK}, nil
}
