package gates

import (
	"fmt"
	"slices"

	"github.com/relseal/relseal/internal/document"
)

// An Outcome is what a decision says.
type Outcome string

const (
	Promote     Outcome = "PROMOTE"     // every predicate of S32-31 holds
	Hold        Outcome = "HOLD"        // one does not, or not yet
	Rollback    Outcome = "ROLLBACK"    // a trigger of S32-32 fired, or nothing was known for too long
	Undecidable Outcome = "UNDECIDABLE" // something needed is missing or contradictory; a human must look
	Error       Outcome = "ERROR"       // the policy is no policy
)

// Input is what a decision is about.
type Input struct {
	Channel string // where the release is
	Release string // its bundle.id; empty where the windows name none
	SinceMS int64  // when it came there
	NowMS   int64  // the instant of the decision
	Windows []Window
}

// Decide applies the policy to the windows of one release on one channel by the rules
// gate/1, which docs/format.md states under "The decision":
//
//  1. A policy that fails Check is ERROR.
//  2. Windows of another channel or release, or that start before since, do not
//     count; a byte-identical redelivery counts once; order is by start, end, id.
//  3. A trigger in any window is ROLLBACK, whatever else is wrong.
//  4. More than max_undecidable windows in a row, at the end or anywhere before, that
//     are undecidable or contradict one another or the clock, are ROLLBACK.
//  5. Fewer that contradict are UNDECIDABLE, and so is an undecidable last one.
//  6. Evidence starts anew after an undecidable window and after a gap.
//  7. On canary: PROMOTE if the shortest sufficient run of last windows meets
//     every predicate, else HOLD with all that are unmet.
//  8. On stable: PROMOTE after N_LTS good windows in a row, else HOLD.
//  9. HOLD for longer than T_obs_max is UNDECIDABLE.
//
// On LTS only steps 1 to 5 apply; there is nowhere to go, and the rest is HOLD.
//
// The same policy and windows give the same decision, byte for byte, whatever
// the order in which the windows come. The error reports an input that no reader of
// this package returns: a channel that is none, a window that cannot be recorded.
//
// That no window was left out, and that the last one is recent, Decide cannot
// know: a ledger shows it (seq, stale_max), and Observed says what was there.
func Decide(p Policy, in Input) (Decision, error) { return gate1.decide(p, in) }

// A judge makes one decision. Its steps are those that [Decide] numbers.
type judge struct {
	*rules
	p  Policy
	in Input
	d  Decision

	windows   []*Window // step 2
	conflicts []*Window // ids that occur with different contents
	used      map[*Window]bool

	// What DecideBounded has seen in windows that are not among these.
	surveyed bool
	row      []*Window // from the first to the last of a blackout
	count    int       // how many of these count
	skipped  int       // good windows before these that only count
}

func (r *rules) decide(p Policy, in Input) (Decision, error) {
	j := &judge{rules: r, p: p, in: in}
	if err := j.check(); err != nil {
		return Decision{}, err
	}
	j.start()
	j.choose()
	if err := j.observe(); err != nil {
		return Decision{}, err
	}
	j.run()
	j.d.Windows = []Window{}
	for _, w := range j.windows {
		if j.used[w] {
			j.d.Windows = append(j.d.Windows, *w)
		}
	}
	return j.d, nil
}

// Triggers reports whether w rolls back the release that in is about, whatever other
// windows there are. in.NowMS and in.Windows count for nothing.
func (p Policy) Triggers(in Input, w *Window) bool {
	j := judge{rules: &gate1, p: p, in: in}
	return j.counts(w) && slices.ContainsFunc(j.rules.triggers, func(t limit) bool {
		_, fires := j.fires(t, w)
		return fires
	})
}

func (j *judge) start() {
	in := j.in
	j.used = map[*Window]bool{}
	j.d = Decision{
		Schema: DecisionSchema, Semantics: Semantics, Channel: in.Channel, Release: in.Release, SinceMS: in.SinceMS, NowMS: in.NowMS,
		Decision: Hold, Reasons: []string{}, Alerts: []string{}, Evidence: []string{}, Predicates: []Predicate{}, Triggers: []Predicate{},
	}
}

// run takes the steps after the second until one has decided.
func (j *judge) run() {
	for _, step := range j.steps {
		if step(j) {
			return
		}
	}
}

// check holds the input to what can be recorded.
func (j *judge) check() error {
	var faults document.Faults
	c := checker{faults.Report}
	c.word(j.in.Channel, Channels, "channel")
	c.name(j.in.Release, "release")
	c.time(j.in.SinceMS, 0, "since_ms")
	c.time(j.in.NowMS, 0, "now_ms")
	for i := range j.in.Windows {
		if w := &j.in.Windows[i]; j.counts(w) {
			w.check(func(at document.Path, text, hint string) {
				faults.Report(append(document.At("windows", i), at...), text, hint)
			})
		}
	}
	return faults.Err()
}

// policy is step 1. The reason names the first part of the member's path.
func (j *judge) policy() bool {
	named := map[any]bool{}
	report := func(at document.Path, _, _ string) {
		if name := at[0]; !named[name] {
			named[name] = true
			j.d.Reasons = append(j.d.Reasons, fmt.Sprintf("E_POLICY:%s", name))
		}
	}
	if j.p.Schema != Schema {
		report(document.At("schema"), "", "")
	}
	if j.p.check(report); len(named) > 0 {
		return j.decided(Error)
	}
	return false
}

func (j *judge) decided(o Outcome) bool {
	j.d.Decision = o
	return true
}

func (j *judge) use(ws ...*Window) {
	for _, w := range ws {
		j.used[w] = true
	}
}
