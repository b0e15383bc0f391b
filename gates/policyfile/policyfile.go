// Package policyfile reads the gate policies that people write as YAML. What it returns
// is a [gates.Policy]; whoever reads only the canonical form needs [gates.ReadPolicy] and
// no YAML.
package policyfile

import (
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/yamldoc"
)

// Parse reads the gate policy that people wrote as YAML; file is the name
// that faults carry. Its error holds all faults of the file, one a line, each
// with line and member.
//
// In YAML a duration is a text, T_obs: 30m for the canonical T_obs_ms, and
// a decimal is quoted or an integer. T_obs_max and plus may be left out.
func Parse(file string, yaml []byte) (gates.Policy, error) {
	doc := yamldoc.Open(file, yaml)
	root := doc.Root()
	if !root.Schema(gates.Schema) {
		return gates.Policy{}, doc.Err()
	}
	p := parsePolicy(doc, root)
	doc.ReportAll(p.Check())
	if err := doc.Finish(); err != nil {
		return gates.Policy{}, err
	}
	return p, nil
}

func parsePolicy(doc *yamldoc.Document, m *yamldoc.Mapping) gates.Policy {
	opt := m.Optional()
	p := gates.Policy{
		Schema:         gates.Schema,
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
		doc.Report(document.At("T_obs_max"), "0 is shorter than T_obs", "leave it out for no limit")
	}
	return p
}

func parsePSDLimit(m *yamldoc.Mapping) gates.PSDLimit {
	return gates.PSDLimit{Kind: m.Text("kind"), Max: m.Decimal("max")}
}

func parseTBLimit(m *yamldoc.Mapping) gates.TBLimit {
	return gates.TBLimit{Kind: m.Text("kind"), Max: m.Decimal("max"), Unit: m.Text("unit")}
}
