package gates

import (
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/sign"
)

// DecisionSchema names the format of a decision, Semantics the rules behind it.
const (
	DecisionSchema = "relseal/decision/v1"
	Semantics      = "gate/1"
)

// A Decision says what follows from a policy and windows, and why. It is a
// function of them alone, so whoever has them can make its bytes again; docs/format.md,
// "The decision", has its members. Who decided and when the policy was registered is in
// the event that records the decision, and not here.
type Decision struct {
	Schema    string    `json:"schema"`
	Semantics string    `json:"semantics"`
	Policy    PolicyRef `json:"policy"`
	Channel   string    `json:"channel"`
	SinceMS   int64     `json:"since_ms"`
	NowMS     int64     `json:"now_ms"`
	Observed  Observed  `json:"observed"`

	Decision   Outcome     `json:"decision"`
	Reasons    []string    `json:"reasons"`     // all of them, in fixed order; none for PROMOTE
	Alerts     []string    `json:"alerts"`      // what somebody should look at although it decides nothing
	Evidence   []string    `json:"evidence"`    // ids of the windows that the predicates are about
	CoverageMS int64       `json:"coverage_ms"` // time that they observed
	Predicates []Predicate `json:"predicates"`  // of step 7, 8 and 9, met and unmet
	Triggers   []Predicate `json:"triggers"`    // what rolls back: each that fired, in the order of windows
	Windows    []Window    `json:"windows"`     // those that the above names, in order

	Release    string   `json:"release,omitzero"`
	To         string   `json:"to,omitzero"`          // the channel that a promotion leads to
	Window     string   `json:"window,omitzero"`      // the one that rolls back, or that cannot be decided
	DeadlineMS Int      `json:"deadline_ms,omitzero"` // when the rollback must be finished
	Restart    *Restart `json:"restart,omitzero"`     // why evidence does not reach further back
	Next       *Next    `json:"next,omitzero"`        // what promotion waits for
}

// PolicyRef names the policy; its digest is null if the policy is none.
type PolicyRef struct {
	Digest *sign.Digest `json:"digest"`
}

// Observed says what windows there were, used or not: how many, from when to
// when, and the root of a Merkle tree over them.
type Observed struct {
	Count   int64       `json:"count"`
	Root    sign.Digest `json:"root"`
	StartMS Int         `json:"start_ms,omitzero"`
	EndMS   Int         `json:"end_ms,omitzero"`
}

// A Predicate is one comparison that was made: Value Op Limit.
//
// Statistic is value (of one window), lower_bound (of hb_lag, from the last
// heartbeat), sum (of n values; Limit is n times the threshold), max, ms (a time) or
// count. Value and Limit are exact.
type Predicate struct {
	Name      string `json:"name"`
	Metric    string `json:"metric,omitzero"`
	Statistic string `json:"statistic"`
	Value     string `json:"value"`
	Op        string `json:"op"`
	Limit     string `json:"limit"`
	Met       bool   `json:"met"`
	Window    string `json:"window,omitzero"` // that the value comes from; of a sum, the worst
}

// A Restart names the window after which evidence started anew: it was
// undecidable (METRIC_…), an incident (INCIDENT), or nothing was observed right
// after it (GAP).
type Restart struct {
	Window  string   `json:"window"`
	Reasons []string `json:"reasons"`
}

// Next is the earliest promotion, if Windows more windows are good and each is as
// long as the last one was. After names the window that must be behind first.
type Next struct {
	After      string `json:"after,omitzero"`
	Windows    int64  `json:"windows"`
	WindowMS   int64  `json:"window_ms,omitzero"`
	EarliestMS int64  `json:"earliest_ms"`
}

// Earliest returns the instant of the earliest promotion, if anything tells: above
// canary the length of a window does, and before the first one nobody knows it.
func (d Decision) Earliest() (ms int64, ok bool) {
	if d.Next == nil || d.Next.WindowMS == 0 && d.Channel != Canary {
		return 0, false
	}
	return d.Next.EarliestMS, true
}

// Slim drops the members that grow with the number of windows, to save memory. What is
// left says what was decided, and by which comparisons.
func (d *Decision) Slim() { d.Evidence, d.Triggers, d.Windows = nil, nil, nil }

// Scores are the values of a decision's predicates by name: of score the sum, of
// differences the maximum. It is the member scores of a promoted release.
func (d Decision) Scores() map[string]string {
	scores := map[string]string{}
	for _, p := range d.Predicates {
		scores[p.Name] = p.Value
	}
	return scores
}

// Marshal returns the canonical form of d; its digest names the decision.
func (d Decision) Marshal() ([]byte, error) { return canon.Marshal(d) }

// ReadDecision reads the canonical form of a decision. It does not judge: whether
// the decision follows is for Replay to say, over the same windows.
func ReadDecision(canonical []byte) (Decision, error) {
	var d Decision
	if err := document.Unmarshal(canonical, DecisionSchema, &d); err != nil {
		return Decision{}, err
	}
	var faults document.Faults
	c := checker{faults.Report}
	c.word(d.Semantics, []string{Semantics}, "semantics")
	c.word(d.Channel, Channels, "channel")
	c.word(string(d.Decision), outcomes, "decision")
	if err := faults.Err(); err != nil {
		return Decision{}, err
	}
	return d, nil
}

var outcomes = []string{string(Promote), string(Hold), string(Rollback), string(Undecidable), string(Error)}

// observe records the windows of step 2 and the policy.
func (j *judge) observe() error {
	j.judgedBy()
	var o observer
	for _, w := range j.windows {
		if err := o.add(w); err != nil {
			return err
		}
	}
	j.d.Observed = o.observed()
	return nil
}

// judgedBy records the policy.
func (j *judge) judgedBy() {
	if data, err := j.p.Marshal(); err == nil {
		digest := sign.Sum(data)
		j.d.Policy.Digest = &digest
	}
}

// An observer sums up windows one after the other. The root is MTH of RFC 6962: leaf
// SHA-256(0 || canonical window), node SHA-256(1 || left || right), the left one over
// the largest power of two below n.
type observer struct {
	Observed
	peaks []sign.Digest // of the full trees so far, the largest first
	leaf  []byte
}

func (o *observer) add(w *Window) error {
	data, plain := appendWindow(append(o.leaf[:0], 0), w)
	if !plain {
		canonical, err := canon.Marshal(w)
		if err != nil {
			return err
		}
		data = append(append(data[:0], 0), canonical...)
	}
	o.leaf = data
	if o.grow(sign.Sum(data)); o.Count == 1 {
		o.StartMS = Some(w.StartMS)
	}
	o.EndMS = Some(max(w.EndMS, o.EndMS.n))
	return nil
}

// grow adds a leaf.
func (o *observer) grow(leaf sign.Digest) {
	o.peaks = append(o.peaks, leaf)
	for n := o.Count; n&1 == 1; n >>= 1 {
		o.join()
	}
	o.Count++
}

// join makes one tree of the last two.
func (o *observer) join() {
	var node [1 + 2*len(sign.Digest{})]byte
	n := len(o.peaks)
	node[0] = 1
	copy(node[1:], o.peaks[n-2][:])
	copy(node[1+len(sign.Digest{}):], o.peaks[n-1][:])
	o.peaks = append(o.peaks[:n-2], sign.Sum(node[:]))
}

func (o *observer) observed() Observed {
	for len(o.peaks) > 1 {
		o.join()
	}
	if o.Root = sign.Sum(nil); len(o.peaks) == 1 {
		o.Root = o.peaks[0]
	}
	return o.Observed
}
