package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/document"
)

// casePolicy reads a policy as cases write it: tau_psd and tau_tb may be the
// threshold alone, and what decides nothing in a case may be left out. A value
// that cannot be a threshold is kept, for Decide to refuse.
func casePolicy(data []byte) (gates.Policy, error) {
	p := gates.Policy{Schema: gates.Schema, Mode: "literal", RCanary: "1", TauPSD: gates.PSDLimit{Kind: "rel_l1"}, TauTB: gates.TBLimit{Kind: "rms", Unit: "s"}}
	known := map[string]any{} // by name, where each goes
	v := reflect.ValueOf(&p).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		known[name] = v.Field(i).Addr().Interface()
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return gates.Policy{}, fmt.Errorf("policy: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		raw := members[name]
		var err error
		switch to := known[name].(type) {
		case *string:
			err = json.Unmarshal(raw, to)
		case *int64:
			if json.Unmarshal(raw, to) != nil {
				*to = -1
			}
		case *canon.Decimal:
			*to = caseDecimal(raw)
		case *gates.PSDLimit:
			err = caseLimit(raw, &to.Kind, &to.Max, nil)
		case *gates.TBLimit:
			err = caseLimit(raw, &to.Kind, &to.Max, &to.Unit)
		default:
			err = fmt.Errorf("unknown member %s", document.Quote(name))
		}
		if err != nil {
			return gates.Policy{}, fmt.Errorf("policy: %w", err)
		}
	}
	return p, nil
}

// caseLimit reads a threshold, or an object of a threshold with its kind.
func caseLimit(raw []byte, kind *string, most *canon.Decimal, unit *string) error {
	if raw[0] != '{' {
		*most = caseDecimal(raw)
		return nil
	}
	var l struct {
		Kind *string         `json:"kind"`
		Max  json.RawMessage `json:"max"`
		Unit *string         `json:"unit"`
	}
	l.Kind, l.Unit = kind, unit
	if err := decodeStrict(raw, &l); err != nil {
		return err
	}
	*most = caseDecimal(l.Max)
	return nil
}

func caseDecimal(raw []byte) canon.Decimal {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	if d, err := canon.ImportDecimal(text); err == nil {
		return d
	}
	return canon.Decimal(text)
}
