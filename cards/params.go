package cards

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
)

// ReadParams reads the canonical form of a ParamCard. What it returns has passed
// the same checks as a card that people wrote.
func ReadParams(canonical []byte) (Params, error) {
	var p Params
	if err := document.Unmarshal(canonical, ParamSchema, &p); err != nil {
		return Params{}, err
	}
	if err := p.Check(); err != nil {
		return Params{}, err
	}
	again, err := canon.Marshal(p.Normal())
	if err != nil {
		return Params{}, err
	}
	if !bytes.Equal(again, canonical) {
		return Params{}, errNotNormal
	}
	return p, nil
}

// Marshal returns the canonical form, whose digest is ParamCard.hash. A card
// that ReadParams would not accept is an error.
func (p Params) Marshal() ([]byte, error) {
	data, err := canon.Marshal(p)
	if err != nil {
		return nil, err
	}
	_, err = ReadParams(data)
	return data, err
}

// Check returns nil, or everything that is wrong with the meaning of p. The order of
// lists is not part of it; see [Params.Normal].
func (p Params) Check() error {
	var faults document.Faults
	p.check(faults.Report)
	return faults.Err()
}

// Normal returns p with its parameters sorted by name and the values of enums
// by bytes.
func (p Params) Normal() Params {
	p.Params = slices.SortedFunc(slices.Values(p.Params), func(a, b Param) int { return strings.Compare(a.Name, b.Name) })
	for i := range p.Params {
		if param := &p.Params[i]; param.Type == TypeEnum {
			param.Domain = slices.SortedFunc(slices.Values(param.Domain), func(a, b canon.Value) int { return bytes.Compare(a, b) })
		}
	}
	return p
}

// text returns the text that v is, and false if it is none.
func text(v canon.Value) (string, bool) {
	if v.Kind() != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(v, &s)
	return s, err == nil
}
