// Package gates decides from measured windows whether a release may move to the
// next channel, must wait, or must be rolled back (S32-31 and S32-32).
//
// It reads no clock, no file and no network: a decision is a function of a
// policy and of windows, so anybody can recompute it. Values are exact decimals.
//
// [ReadWindows] reads what was measured, CSV or JSON, and [Decide] decides about one
// release at one instant; [Decision.Explain] says why, and [Replay] makes a recorded
// decision again. gates/policyfile reads the policy that people wrote, gates/power
// computes how many windows it should ask for, and gates/ledger follows a release from
// its canary on, event by event.
//
// docs/gates.md says how to choose a policy, docs/format.md has the rules
// ("The window", "The decision").
package gates

import "github.com/relseal/relseal/canon"

// Schema names the format of a policy.
const Schema = "relseal/gates/v1"

// Policy is a gate policy in canonical form. Times are integer milliseconds.
type Policy struct {
	Schema         string        `json:"schema"`
	Mode           string        `json:"mode"` // "literal": S32-31 and S32-32 as written
	RCanary        canon.Decimal `json:"r_canary"`
	TObsMS         int64         `json:"T_obs_ms"`
	TRollbackMS    int64         `json:"T_rollback_ms"`
	StaleMaxMS     int64         `json:"stale_max_ms"`
	WMin           int64         `json:"W_min"`
	NLTS           int64         `json:"N_LTS"`
	GapMaxMS       int64         `json:"gap_max_ms"`
	SkewMaxMS      int64         `json:"skew_max_ms"`
	MaxUndecidable int64         `json:"max_undecidable"`
	TauScore       canon.Decimal `json:"tau_score"`
	GateRep        canon.Decimal `json:"gate_rep"`
	TauPSD         PSDLimit      `json:"tau_psd"`
	TauTB          TBLimit       `json:"tau_tb"`
	TauHB          canon.Decimal `json:"tau_hb"`   // seconds
	TauDrop        canon.Decimal `json:"tau_drop"` // ratio
	TauInc         canon.Decimal `json:"tau_inc"`  // incidents per window

	TObsMaxMS int64  `json:"T_obs_max_ms,omitzero"` // longest observation before a human must sign
	Plus      string `json:"plus,omitzero"`         // how delta^+ was made: upper_bound or point
}

// PSDLimit bounds delta_psd^+ of one kind: rel_l1 or log_l2_db.
type PSDLimit struct {
	Kind string        `json:"kind"`
	Max  canon.Decimal `json:"max"`
}

// TBLimit bounds r_tb of one kind (rms, std or ratio) in one unit.
type TBLimit struct {
	Kind string        `json:"kind"`
	Max  canon.Decimal `json:"max"`
	Unit string        `json:"unit"`
}
