package ledger

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// What a decision over a ledger needs beside its windows. A human's signature can
// stand in for the first; the others end it.
const (
	reasonStale      = "STALE"          // the last window ended too long ago
	reasonLate       = "POLICY_LATE"    // registered after what was measured began: it may roll back, nothing else
	reasonUnknown    = "POLICY_MISSING" // no policy, or not the one that the bundle names
	reasonHole       = "WINDOW_MISSING" // a seq does not follow
	reasonLost       = "EVENTS_LOST"    // the ledger says that events of it are missing
	reasonEarly      = "WINDOW_EARLY"   // recorded before it had ended
	reasonFull       = "WINDOW_LIMIT"   // there is no room for another one, and there may have been one
	reasonTriggered  = "LATE_TRIGGER"   // a window that came late rolls back what the release comes from
	reasonSize       = "DECISION_SIZE"  // the record of the decision has no room in a bundle
	reasonPromoted   = "PROMOTED"       // already
	reasonRolledBack = "ROLLED_BACK"    // for good
)

// A Judgement is a decision with what a ledger alone can show of it: that the
// policy was there before the windows, that none of them was left out, and that
// the last one is recent.
type Judgement struct {
	Release  *Release
	Policy   *Registration  // nil if there is none to judge by
	Decision gates.Decision // of Decide; zero without a policy
	Digest   sign.Digest    // of the decision

	First, Last int64 // the events of the first and the last window, 0 without any
	Count       int64 // windows, used or not

	Reasons []string // those of this file, in their order

	nowMS int64
}

// Judge decides about a release at an instant, by every window of it that the ledger
// has. Between two events the same question gets the same Judgement, and the windows are
// looked at once: a writer judges, and the promotion that it then adds is held to that.
func (l *State) Judge(r *Release, nowMS int64) (*Judgement, error) {
	if j := l.judged; j != nil && j.Release == r && j.nowMS == nowMS {
		return j, nil
	}
	j, err := l.judge(r, nowMS)
	if err == nil {
		l.judged = j
	}
	return j, err
}

func (l *State) judge(r *Release, nowMS int64) (*Judgement, error) {
	j := &Judgement{Release: r, Count: r.Count, First: r.First, Last: r.Last, nowMS: nowMS}
	if r.Move != nil {
		j.Reasons = append(j.Reasons, reasonPromoted)
	}
	if r.Rollback != nil {
		j.Reasons = append(j.Reasons, reasonRolledBack)
	}
	if r.Hole != nil {
		j.Reasons = append(j.Reasons, reasonHole)
	}
	if l.lost > 0 {
		j.Reasons = append(j.Reasons, reasonLost)
	}
	if j.Policy = l.PolicyOf(r); j.Policy == nil {
		j.Reasons = append(j.Reasons, reasonUnknown)
		return j, nil
	}
	if j.Policy.Late(r) {
		j.Reasons = append(j.Reasons, reasonLate)
	}
	if j.Policy.Early(r) {
		j.Reasons = append(j.Reasons, reasonEarly)
	}
	if r.full || r.Windows.Full() {
		j.Reasons = append(j.Reasons, reasonFull)
	}
	in := gates.Input{Channel: r.Channel, Release: r.Bundle.String(), SinceMS: r.SinceMS, NowMS: nowMS}
	decided, err := gates.DecideBounded(j.Policy.Policy, in, &r.Windows)
	l.work += decided.Work
	if err != nil {
		return nil, err
	}
	j.Decision = decided.Decision
	data, err := j.Decision.Marshal()
	if err != nil {
		return nil, err
	}
	j.Digest = sign.Sum(data)
	if decided.Partial || len(data) > limits.Decision {
		j.Reasons = append(j.Reasons, reasonSize)
	}
	if end, ok := j.Decision.Observed.EndMS.Get(); ok && nowMS-end > j.Policy.Policy.StaleMaxMS {
		j.Reasons = append(j.Reasons, reasonStale)
	}
	// A window of the release that r was promoted from may have come after the promotion,
	// and roll that release back. The promotion stands as it is recorded, and r goes no
	// further.
	for m := l.MoveTo(r); m != nil; m = l.MoveTo(m.Source) {
		if l.triggered(m.Source) {
			j.Reasons = append(j.Reasons, reasonTriggered)
			break
		}
	}
	return j, nil
}

// triggers say whether one of the first windows of a release triggers a rollback.
type triggers struct {
	by    *Registration // the policy that says so
	seen  int           // how many of the windows that are kept were looked at
	fired bool
}

// look takes in one window more.
func (t *triggers) look(by *Registration, r *Release, w *gates.Window) {
	t.fired = t.fired || by != nil && by.triggers(r, w)
}

// triggered reports whether one of the windows of r that the ledger has triggers a
// rollback. Each window is looked at once, however often this is asked, unless the first
// policy of all comes after it.
func (l *State) triggered(r *Release) bool {
	t, by := &r.fired, l.PolicyOf(r)
	if by == nil {
		return false
	}
	if t.by != by && r.kept {
		*t = triggers{by: by}
	}
	for ; !t.fired && t.seen < r.Windows.Len(); t.seen++ {
		l.work++
		w := r.Windows.At(t.seen).Window
		t.look(by, r, &w)
	}
	return t.fired
}

// triggers reports whether a window rolls a release back by this policy.
func (p *Registration) triggers(r *Release, w *gates.Window) bool {
	return p.Policy.Triggers(gates.Input{Channel: r.Channel, Release: r.Bundle.String(), SinceMS: r.SinceMS}, w)
}

// Triggered reports whether a window that came late rolls the release back.
func (j *Judgement) Triggered() bool { return slices.Contains(j.Reasons, reasonTriggered) }

// PolicyOf returns the policy that judges r: the one that its manifest names; else
// the last that was registered before its first window; else the first that was,
// which came late. It is nil if there is none.
func (l *State) PolicyOf(r *Release) *Registration {
	if r.Policy != nil {
		return l.registered[*r.Policy]
	}
	before := len(l.policies)
	if r.Count > 0 {
		before = sort.Search(before, func(i int) bool { return l.policies[i].K > r.First })
	}
	if len(l.policies) == 0 {
		return nil
	}
	return l.policies[max(before-1, 0)]
}

func (j *Judgement) late() bool { return slices.Contains(j.Reasons, reasonLate) }

// Outcome is that of the decision, but UNDECIDABLE where the ledger lacks what a promotion
// needs beside its windows.
func (j *Judgement) Outcome() gates.Outcome {
	switch {
	case j.Policy == nil:
		return gates.Undecidable
	case j.Decision.Decision == gates.Promote && len(j.Reasons) > 0:
		return gates.Undecidable
	}
	return j.Decision.Decision
}

// Unmet lists everything that stands between the release and its promotion.
func (j *Judgement) Unmet() []string {
	return append(append([]string{}, j.Decision.Reasons...), j.Reasons...)
}

// Lost reports whether events that may bear on the release are missing from the ledger.
func (j *Judgement) Lost() bool { return slices.Contains(j.Reasons, reasonLost) }

// MayOverride reports whether a human's signature can stand in for what is unmet.
// It cannot where a trigger fired, where no window counts, where the record
// itself has a hole, no room or a window that nobody had measured, or where the policy
// was not there first: then there is nothing to sign under.
func (j *Judgement) MayOverride() bool {
	if j.Policy == nil || j.Decision.Observed.Count == 0 || j.Outcome() == gates.Promote || gates.Above(j.Release.Channel) == "" {
		return false
	}
	if d := j.Decision.Decision; d != gates.Hold && d != gates.Undecidable && d != gates.Promote {
		return false
	}
	return !slices.ContainsFunc(j.Reasons, func(r string) bool { return r != reasonStale })
}

// Explain is the explanation of the decision with what the ledger adds to it. Its first
// line is the outcome; where that is not the decision's, the decision comes last.
func (j *Judgement) Explain() string {
	if j.Policy == nil {
		return fmt.Sprintf("%s %s  release %s\n%s", gates.Undecidable, j.Release.Channel, short(j.Release.Bundle), j.added())
	}
	decided := j.Decision.Explain() + fmt.Sprintf("  policy registered at %s, event %d\n", stamp(j.Policy.TimeMS), j.Policy.K)
	if j.Outcome() == j.Decision.Decision {
		return decided + j.added()
	}
	return fmt.Sprintf("%s %s  release %s\n%swithout that:\n%s", j.Outcome(), j.Release.Channel, short(j.Release.Bundle), j.added(), decided)
}

// added are the reasons that the ledger adds to those of the decision.
func (j *Judgement) added() string {
	var w strings.Builder
	for _, r := range j.Reasons {
		text := ledgerTexts[r]
		if end, ok := j.Decision.Observed.EndMS.Get(); ok && r == reasonStale {
			text = fmt.Sprintf("the last window ended %s ago, stale_max is %s", seconds(j.Decision.NowMS-end), seconds(j.Policy.Policy.StaleMaxMS))
		}
		if a := j.Release.furthest; r == reasonEarly {
			text = fmt.Sprintf("window %q ends at %s and was recorded at %s, by event %d: nobody had measured it then; the release can go on only as a new canary", a.id, stamp(a.endMS), stamp(a.now), a.k)
		}
		fmt.Fprintf(&w, "  %s  %s\n", r, text)
	}
	return w.String()
}

var ledgerTexts = map[string]string{
	reasonLate:       "the policy was registered after the windows that it judges began; the release can go on only as a new canary",
	reasonUnknown:    "the policy that judges this release is not registered",
	reasonHole:       "a window was left out; the release can go on only as a new canary",
	reasonLost:       "a trail.recover of the ledger says that events were lost: take a copy that has them, or begin a new ledger and cut the version again",
	reasonFull:       "it has as many windows as one can be judged by, and there may have been more; it can go on only as a new canary",
	reasonTriggered:  "a window of the channel below came late, and rolls back",
	reasonSize:       "the decision rests on more windows than a bundle can hold; measure in longer ones",
	reasonPromoted:   "it was promoted",
	reasonRolledBack: "it was rolled back; it can move up only as a new canary",
}
