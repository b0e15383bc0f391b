package cards

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/yamldoc"
)

// ParseParams reads the ParamCard that people wrote as YAML; file is the name
// that faults carry. Its error holds all faults of the file.
//
// In YAML the weights of the card and the domain of a parameter may be left out.
// A real is written as a quoted decimal or an integer; an integer beyond
// ±(2^53−1) is quoted.
func ParseParams(file string, yaml []byte) (Params, error) {
	doc := yamldoc.Open(file, yaml)
	root := doc.Root()
	if !root.Schema(ParamSchema) {
		return Params{}, doc.Err()
	}
	p := parseParams(root)
	p.check(doc.Report)
	if err := doc.Finish(); err != nil {
		return Params{}, err
	}
	return p.normal(), nil
}

func parseParams(root *yamldoc.Mapping) Params {
	p := Params{Schema: ParamSchema, Card: parseIdentity(root)}
	for _, m := range root.Maps("params") {
		p.Params = append(p.Params, parseParam(m))
	}
	p.Weights = parseWeights(root)
	return p
}

func parseParam(m *yamldoc.Mapping) Param {
	p := Param{Name: m.Text("name"), Type: m.Text("type"), Unit: m.Text("unit")}
	p.Value = toValue(p.Type, m.Scalar("value"))
	for _, s := range m.Optional().Scalars("domain") {
		p.Domain = append(p.Domain, toValue(p.Type, s))
	}
	return p
}

// toValue returns the canonical value of what people wrote for a type. What does
// not fit the type stays what it is, for the check to name.
func toValue(typ string, s yamldoc.Scalar) canon.Value {
	switch s.Kind {
	case yamldoc.Bool:
		return canon.Value(s.Text)
	case yamldoc.Integer:
		if typ == TypeReal {
			return textValue(s.Text)
		}
		return canon.Value(s.Text)
	case yamldoc.Text:
		if typ == TypeReal || typ == TypeInteger && isLargeInteger(s.Text) {
			if d, err := canon.ImportDecimal(s.Text); err == nil {
				return textValue(string(d))
			}
		}
		return textValue(s.Text)
	default:
		return canon.Value("null")
	}
}

// textValue returns s as a canonical JSON string.
func textValue(s string) canon.Value {
	v, err := canon.Marshal(s)
	if err != nil {
		return canon.Value("null") // not UTF-8, which YAML cannot say
	}
	return v
}

// ReadParams reads the canonical form of a ParamCard. What it returns has passed
// the same checks as a card that ParseParams returns.
func ReadParams(canonical []byte) (Params, error) {
	var p Params
	if err := yamldoc.Unmarshal(canonical, ParamSchema, &p); err != nil {
		return Params{}, err
	}
	var faults yamldoc.Faults
	p.check(faults.Report)
	if err := faults.Err(); err != nil {
		return Params{}, err
	}
	again, err := canon.Marshal(p.normal())
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

// normal returns p with its parameters sorted by name and the values of enums
// by bytes.
func (p Params) normal() Params {
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
