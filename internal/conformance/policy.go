package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/document"
)

// casePolicy reads a policy as cases write it: tau_psd and tau_tb may be the
// threshold alone, and what decides nothing in a case may be left out. A value
// that cannot be a threshold is kept, for Decide to refuse.
func casePolicy(data []byte) (gates.Policy, error) {
	p := gates.Policy{Schema: gates.Schema, Mode: "literal", RCanary: "1", TauPSD: gates.PSDLimit{Kind: "rel_l1"}, TauTB: gates.TBLimit{Kind: "rms", Unit: "s"}}
	texts := map[string]*string{"schema": &p.Schema, "mode": &p.Mode, "plus": &p.Plus}
	counts := map[string]*int64{
		"T_obs_ms": &p.TObsMS, "T_obs_max_ms": &p.TObsMaxMS, "T_rollback_ms": &p.TRollbackMS, "stale_max_ms": &p.StaleMaxMS,
		"gap_max_ms": &p.GapMaxMS, "skew_max_ms": &p.SkewMaxMS, "W_min": &p.WMin, "N_LTS": &p.NLTS, "max_undecidable": &p.MaxUndecidable,
	}
	decimals := map[string]*canon.Decimal{
		"r_canary": &p.RCanary, "tau_score": &p.TauScore, "gate_rep": &p.GateRep, "tau_hb": &p.TauHB, "tau_drop": &p.TauDrop, "tau_inc": &p.TauInc,
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return gates.Policy{}, fmt.Errorf("policy: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		raw := members[name]
		var err error
		switch {
		case texts[name] != nil:
			err = json.Unmarshal(raw, texts[name])
		case counts[name] != nil:
			if json.Unmarshal(raw, counts[name]) != nil {
				*counts[name] = -1
			}
		case decimals[name] != nil:
			*decimals[name] = caseDecimal(raw)
		case name == "tau_psd":
			err = caseLimit(raw, &p.TauPSD.Kind, &p.TauPSD.Max, nil)
		case name == "tau_tb":
			err = caseLimit(raw, &p.TauTB.Kind, &p.TauTB.Max, &p.TauTB.Unit)
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
