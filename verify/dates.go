package verify

import (
	"errors"
	"io"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/sign"
)

// Datings are the bundles that a ledger records. It implements [Dates].
type Datings map[sign.Digest][]Dating

// Recorded implements [Dates].
func (d Datings) Recorded(bundle sign.Digest) []Dating { return d[bundle] }

// ReadDatings reads from a ledger which bundles it records and when. It counts as
// far as the authority lets its key sign ledgers: a record from outside the key's
// time, or by a key that is revoked, dates nothing. A ledger that is damaged, or
// signed by a key without that role, is an error.
func ReadDatings(r io.Reader, authority sign.Authority) (Datings, error) {
	d := Datings{}
	var faults []error
	summary, err := audit.Check(r, audit.CheckOptions{
		Keys: roleKeys{authority, sign.RoleLedger},
		Bare: true,
		Report: func(f Finding) {
			if id, ok := misplaced(authority, f); ok {
				f.Text = otherRoles(id, sign.RoleLedger)
			}
			if f.Verdict == Reject {
				faults = append(faults, f.Err())
			}
		},
		EventActions: []string{ledger.ActionSealed},
		Event: func(r audit.Record) {
			var s ledger.Sealed
			if r.E.Action != ledger.ActionSealed || canon.Peek(r.E.Details, &s) != nil || s.Bundle.IsZero() {
				return
			}
			g, _ := authority.Grant(sign.RoleLedger, r.E.Verifier.PKRef)
			if at := r.Time().Time; g.Status != sign.Revoked && !at.Before(g.NotBefore) && !at.After(g.NotAfter) {
				d[s.Bundle] = append(d[s.Bundle], Dating{r.E.Verifier.PKRef, at})
			}
		},
	})
	switch {
	case err != nil:
		return nil, err
	case len(faults) > 0:
		return nil, faults[0]
	case summary.Genesis == nil || summary.Genesis.Purpose != audit.PurposeLedger:
		return nil, errors.New("not a ledger")
	}
	return d, nil
}
