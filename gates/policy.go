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

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/limits"
)

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

// The words that a policy may use.
var (
	modes    = []string{"literal"}
	psdKinds = []string{"rel_l1", "log_l2_db"}
	tbKinds  = []string{"rms", "std", "ratio"}
	tbUnits  = []string{"s", "ms", "us", "ns"}
	pluses   = []string{"upper_bound", "point"}
)

// maxMS keeps sums of times far from what an int64 of nanoseconds cannot hold.
const maxMS = math.MaxInt64 / 1_000_000

// Check returns nil if every threshold is there and within its range, else all
// faults, one a line:
//
//	0 < r_canary ≤ 1, 0 ≤ tau_score ≤ 1, every other decimal ≥ 0
//	T_obs ≥ 1 ms, T_obs_max ≥ T_obs if set, every other time ≥ 0
//	W_min ≥ 1, N_LTS ≥ 1, max_undecidable ≥ 0
//	tau_psd.kind rel_l1 or log_l2_db
//	tau_tb.kind rms or std with unit s, ms, us or ns, or ratio with unit "1"
func (p Policy) Check() error {
	var faults document.Faults
	if p.Schema != Schema {
		faults.Report(document.At("schema"), fmt.Sprintf("want %s, got %s", Schema, document.Quote(p.Schema)), "")
	}
	p.check(faults.Report)
	return faults.Err()
}

func (p Policy) check(report document.Reporter) {
	c := checker{report}
	c.word(p.Mode, modes, "mode")

	c.within(p.RCanary, "0", "1", "r_canary")
	if p.RCanary == "0" {
		report(document.At("r_canary"), "must be above 0", "a canary that nobody sees shows nothing")
	}
	c.within(p.TauScore, "0", "1", "tau_score")
	c.within(p.GateRep, "0", "", "gate_rep")
	c.within(p.TauPSD.Max, "0", "", "tau_psd", "max")
	c.within(p.TauTB.Max, "0", "", "tau_tb", "max")
	c.within(p.TauHB, "0", "", "tau_hb")
	c.within(p.TauDrop, "0", "", "tau_drop")
	c.within(p.TauInc, "0", "", "tau_inc")

	c.time(p.TObsMS, 1, "T_obs_ms")
	c.time(p.TRollbackMS, 0, "T_rollback_ms")
	c.time(p.StaleMaxMS, 0, "stale_max_ms")
	c.time(p.GapMaxMS, 0, "gap_max_ms")
	c.time(p.SkewMaxMS, 0, "skew_max_ms")
	if p.TObsMaxMS != 0 && p.TObsMaxMS < p.TObsMS {
		report(document.At("T_obs_max_ms"), "is shorter than T_obs", "")
	}
	c.time(p.TObsMaxMS, 0, "T_obs_max_ms")

	c.atLeast(p.WMin, 1, "W_min")
	c.atLeast(p.NLTS, 1, "N_LTS")
	c.atLeast(p.MaxUndecidable, 0, "max_undecidable")
	if p.MaxUndecidable > limits.Blackout {
		report(document.At("max_undecidable"), fmt.Sprintf("must be at most %d", limits.Blackout), "")
	}

	c.word(p.TauPSD.Kind, psdKinds, "tau_psd", "kind")
	c.word(p.TauTB.Kind, tbKinds, "tau_tb", "kind")
	switch {
	case p.TauTB.Kind == "ratio" && p.TauTB.Unit != "1":
		report(document.At("tau_tb", "unit"), fmt.Sprintf("a ratio has no unit, got %s", document.Quote(p.TauTB.Unit)), `write "1"`)
	case p.TauTB.Kind != "ratio":
		c.word(p.TauTB.Unit, tbUnits, "tau_tb", "unit")
	}
	if p.Plus != "" {
		c.word(p.Plus, pluses, "plus")
	}
}

type checker struct{ report document.Reporter }

func (c checker) word(got string, known []string, at ...any) {
	if !slices.Contains(known, got) {
		c.report(document.At(at...), fmt.Sprintf("want %s, got %s", strings.Join(known, " or "), document.Quote(got)), document.Suggest(got, known))
	}
}

func (c checker) within(d canon.Decimal, low, high canon.Decimal, at ...any) {
	if _, err := canon.ParseDecimal(string(d)); err != nil {
		c.report(document.At(at...), fmt.Sprintf("%s is not a decimal", document.Quote(string(d))), "")
		return
	}
	switch r := d.Rat(); {
	case r.Cmp(low.Rat()) < 0:
		c.report(document.At(at...), fmt.Sprintf("%s is below %s", d, low), "")
	case high != "" && r.Cmp(high.Rat()) > 0:
		c.report(document.At(at...), fmt.Sprintf("%s is above %s", d, high), "")
	}
}

func (c checker) time(ms, least int64, name string) {
	switch {
	case ms < least:
		c.report(document.At(name), fmt.Sprintf("must be at least %d ms", least), "")
	case ms > maxMS:
		c.report(document.At(name), fmt.Sprintf("must be at most %d ms", int64(maxMS)), "")
	}
}

func (c checker) atLeast(n, least int64, name string) {
	if n < least {
		c.report(document.At(name), fmt.Sprintf("must be at least %d, got %d", least, n), "")
	}
}
