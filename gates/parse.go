package gates

import (
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/yamldoc"
)

// ErrSchema is in the error of a canonical document that is no gate policy.
var ErrSchema = yamldoc.ErrSchema

// ParsePolicy reads the gate policy that people wrote as YAML; file is the name
// that faults carry. Its error holds all faults of the file, one a line, each
// with line and member.
//
// In YAML a duration is a text, T_obs: 30m for the canonical T_obs_ms, and
// a decimal is quoted or an integer. T_obs_max and plus may be left out.
func ParsePolicy(file string, yaml []byte) (Policy, error) {
	doc := yamldoc.Open(file, yaml)
	root := doc.Root()
	if !root.Schema(Schema) {
		return Policy{}, doc.Err()
	}
	p := parsePolicy(doc, root)
	p.check(doc.Report)
	if err := doc.Finish(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

func parsePolicy(doc *yamldoc.Document, m *yamldoc.Mapping) Policy {
	opt := m.Optional()
	p := Policy{
		Schema:         Schema,
		Mode:           m.Text("mode"),
		RCanary:        m.Decimal("r_canary"),
		TObsMS:         m.Duration("T_obs"),
		TRollbackMS:    m.Duration("T_rollback"),
		StaleMaxMS:     m.Duration("stale_max"),
		WMin:           m.Int("W_min"),
		NLTS:           m.Int("N_LTS"),
		GapMaxMS:       m.Duration("gap_max"),
		SkewMaxMS:      m.Duration("skew_max"),
		MaxUndecidable: m.Int("max_undecidable"),
		TauScore:       m.Decimal("tau_score"),
		GateRep:        m.Decimal("gate_rep"),
		TauPSD:         parsePSDLimit(m.Map("tau_psd")),
		TauTB:          parseTBLimit(m.Map("tau_tb")),
		TauHB:          m.Decimal("tau_hb"),
		TauDrop:        m.Decimal("tau_drop"),
		TauInc:         m.Decimal("tau_inc"),
		TObsMaxMS:      opt.Duration("T_obs_max"),
		Plus:           opt.Text("plus"),
	}
	if m.Has("T_obs_max") && p.TObsMaxMS == 0 {
		doc.Report(yamldoc.At("T_obs_max"), "0 is shorter than T_obs", "leave it out for no limit")
	}
	return p
}

func parsePSDLimit(m *yamldoc.Mapping) PSDLimit {
	return PSDLimit{Kind: m.Text("kind"), Max: m.Decimal("max")}
}

func parseTBLimit(m *yamldoc.Mapping) TBLimit {
	return TBLimit{Kind: m.Text("kind"), Max: m.Decimal("max"), Unit: m.Text("unit")}
}

// ReadPolicy reads the canonical form of a gate policy and checks it.
func ReadPolicy(canonical []byte) (Policy, error) {
	var p Policy
	if err := yamldoc.Unmarshal(canonical, Schema, &p); err != nil {
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
