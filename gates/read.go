package gates

import (
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
)

// ErrSchema is in the error of a canonical document that is no gate policy.
var ErrSchema = document.ErrSchema

// ReadPolicy reads the canonical form of a gate policy and checks it.
func ReadPolicy(canonical []byte) (Policy, error) {
	var p Policy
	if err := document.Unmarshal(canonical, Schema, &p); err != nil {
		return Policy{}, err
	}
	if err := p.Check(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

// Marshal returns the canonical form of p, or what Check says is wrong with it.
func (p Policy) Marshal() ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	return canon.Marshal(p)
}
