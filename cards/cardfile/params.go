package cardfile

import (
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/yamldoc"
)

// Params reads the ParamCard that people wrote as YAML; file is the name
// that faults carry. Its error holds all faults of the file.
//
// In YAML the weights of the card and the domain of a parameter may be left out.
// A real is written as a quoted decimal or an integer; an integer beyond
// ±(2^53−1) is quoted.
func Params(file string, yaml []byte) (cards.Params, error) {
	doc := yamldoc.Open(file, yaml)
	root := doc.Root()
	if !root.Schema(cards.ParamSchema) {
		return cards.Params{}, doc.Err()
	}
	p := readParams(root)
	doc.ReportAll(p.Check())
	if err := doc.Finish(); err != nil {
		return cards.Params{}, err
	}
	return p.Normal(), nil
}

func readParams(root *yamldoc.Mapping) cards.Params {
	p := cards.Params{Schema: cards.ParamSchema, Card: readIdentity(root)}
	for _, m := range root.Maps("params") {
		p.Params = append(p.Params, readParam(m))
	}
	p.Weights = readWeights(root)
	return p
}

func readParam(m *yamldoc.Mapping) cards.Param {
	p := cards.Param{Name: m.Text("name"), Type: m.Text("type"), Unit: m.Text("unit")}
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
		if typ == cards.TypeReal {
			return textValue(s.Text)
		}
		return canon.Value(s.Text)
	case yamldoc.Text:
		if typ == cards.TypeReal {
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
