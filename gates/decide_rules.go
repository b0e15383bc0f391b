package gates

import (
	"cmp"
	"math/big"

	"github.com/relseal/relseal/canon"
)

// The rules gate/1 are data: each comparison, and what follows from a missing value. So a
// test can change each of them and see that a case of testdata/gates fails.

// An op is a comparison: what it says of a value below, at and above its limit.
type op struct {
	text               string
	below, same, above bool
}

var (
	opLess    = op{"<", true, false, false}
	opAtMost  = op{"<=", true, true, false}
	opAtLeast = op{">=", false, true, true}
	opMore    = op{">", false, false, true}
)

func (o op) holds(order int) bool {
	switch {
	case order < 0:
		return o.below
	case order > 0:
		return o.above
	}
	return o.same
}

func (o op) ints(a, b int64) bool    { return o.holds(cmp.Compare(a, b)) }
func (o op) rats(a, b *big.Rat) bool { return o.holds(a.Cmp(b)) }

// decimals compares a value with its limit digit by digit. A million windows have several
// million values, and making a big.Rat of each took most of the time.
func (o op) decimals(a, b canon.Decimal) bool { return o.holds(a.Cmp(b)) }

// A limit compares one metric with one threshold of the policy.
type limit struct {
	name   string // in reasons
	metric *metric
	stat   string // of the values: each on its own, their mean or their maximum
	floor  bool   // values below 0 count as 0: delta^+
	op     op
	tau    string // name of the threshold
	of     func(*Policy) canon.Decimal
}

// Statistics of a metric over windows, and of windows themselves.
const (
	statValue      = "value"
	statLowerBound = "lower_bound" // of hb_lag: what the last heartbeat proves
	statSum        = "sum"         // a mean, compared exactly: sum with n times the threshold
	statMax        = "max"
	statTime       = "ms"
	statCount      = "count"
)

// rules are the semantics gate/1.
type rules struct {
	steps []func(*judge) bool // in order; the first that is true has decided

	selected op   // start, since: the window counts
	distinct bool // a byte-identical redelivery is one window

	triggers   []limit // step 3: one that holds rolls back
	lowerBound bool    // silence triggers when the last heartbeat is too long ago

	invalid  op // end, start
	future   op // end, now + skew_max
	overlap  op // start, furthest end before
	conflict bool

	required map[string][]*metric // by channel
	unknown  map[status]bool      // a required metric of this status makes its window undecidable
	blackout op                   // windows in a row, max_undecidable

	joined   op      // gap, gap_max: evidence goes on
	coverage op      // sum of window lengths, T_obs
	enough   op      // windows, W_min
	promote  []limit // step 7: all must hold

	incident limit // step 8: the window is a good one
	streak   op    // good windows in a row, N_LTS

	inTime op // now - since, T_obs_max
}

// gate1 is what Decide applies.
var gate1 = rules{
	steps: []func(*judge) bool{
		(*judge).policy, (*judge).triggers, (*judge).blackout, (*judge).integrity, (*judge).lastWindow,
		(*judge).toStable, (*judge).toLTS, (*judge).atTop, (*judge).expiry,
	},
	selected: opAtLeast,
	distinct: true,

	triggers: []limit{
		{name: "TRIGGER:score", metric: metricScore, op: opLess, tau: "tau_score", of: tauScore},
		{name: "TRIGGER:hb_lag", metric: metricHBLag, op: opMore, tau: "tau_hb", of: func(p *Policy) canon.Decimal { return p.TauHB }},
		{name: "TRIGGER:drop_rate", metric: metricDropRate, op: opMore, tau: "tau_drop", of: func(p *Policy) canon.Decimal { return p.TauDrop }},
	},
	lowerBound: true,

	invalid:  opAtMost,
	future:   opMore,
	overlap:  opLess,
	conflict: true,

	// A channel requires what is judged there. delta_rep, delta_psd and r_tb say
	// nothing about stable, incident_rate nothing about canary (S32-31).
	required: map[string][]*metric{
		Canary: {metricScore, metricDeltaRep, metricDeltaPSD, metricRTB, metricHBLag, metricDropRate},
		Stable: {metricScore, metricHBLag, metricDropRate, metricIncident},
		LTS:    {metricScore, metricHBLag, metricDropRate},
	},
	unknown:  map[status]bool{missing: true, notFinite: true, otherKind: true},
	blackout: opMore,

	joined:   opAtMost,
	coverage: opAtLeast,
	enough:   opAtLeast,
	// SCORE cannot fail while TRIGGER:score stands: no window of the evidence is
	// below the threshold then. It is written out because S32-31 says it, and
	// because a mode without point triggers needs it.
	promote: []limit{
		{name: "SCORE", metric: metricScore, stat: statSum, op: opAtLeast, tau: "tau_score", of: tauScore},
		{name: "DELTA_REP", metric: metricDeltaRep, stat: statMax, floor: true, op: opAtMost, tau: "gate_rep", of: func(p *Policy) canon.Decimal { return p.GateRep }},
		{name: "DELTA_PSD", metric: metricDeltaPSD, stat: statMax, floor: true, op: opAtMost, tau: "tau_psd", of: func(p *Policy) canon.Decimal { return p.TauPSD.Max }},
		{name: "R_TB", metric: metricRTB, stat: statMax, op: opAtMost, tau: "tau_tb", of: func(p *Policy) canon.Decimal { return p.TauTB.Max }},
	},

	incident: limit{name: "STREAK", metric: metricIncident, op: opAtMost, tau: "tau_inc", of: func(p *Policy) canon.Decimal { return p.TauInc }},
	streak:   opAtLeast,
	inTime:   opAtMost,
}

func tauScore(p *Policy) canon.Decimal { return p.TauScore }

// alertOf says which alert an unmet predicate raises.
var alertOf = map[string]string{"R_TB": "E_TIMEBASE_SKEW"}
