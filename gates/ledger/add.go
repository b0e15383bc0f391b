package ledger

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// The codes of faults.
const (
	codeFormat   = "E_FORMAT"
	codeMismatch = "E_DATA_MISMATCH"
	codeDecision = "E_DECISION"
	codeLate     = "E_POLICY_LATE"
	codeLimit    = "E_LIMIT"
	codeSequence = "E_SEQUENCE"
	codeCut      = "E_LEDGER_CUT"
)

// actionClose ends the trail of a run, and nothing in a ledger.
const actionClose = "trail.close"

// Add takes in the next event. It returns why the event does not follow from those
// before it, nil if it does. An event of another action than those of a ledger always
// follows, except for trail.close. What a faulty event says is taken in as far as it can
// be, so that the events after it, which rest on it, are not faulty for its sake alone.
//
// Memory is bounded whatever the events say: beyond limits.Policies, Releases and Amiss
// the fault is E_LIMIT, and nothing more is taken in.
func (l *State) Add(e Event) *Fault {
	if l.over {
		return nil
	}
	before := l.override
	l.override = nil
	if e.Action != ActionOverride { // an override changes no judgement, and comes between one and its promotion
		defer func() { l.judged = nil }()
	}
	if len(e.Clock) > limits.Name {
		e.Clock = sign.Sum([]byte(e.Clock)).String() // a clock is compared and never shown, so its digest will do
	}
	var f *Fault
	switch e.Action {
	case ActionRegister:
		f = read(e, func(d *Registered) *Fault { return l.register(e, d) })
	case ActionSealed:
		f = read(e, func(d *Sealed) *Fault {
			if f := d.form(); f != nil {
				return f
			}
			return about(d.Bundle, l.sealed(e, d))
		})
	case ActionWindow:
		f = l.window(e)
	case ActionOverride:
		f = read(e, func(d *Overridden) *Fault { return about(d.Release, l.overridden(e, d)) })
	case ActionPromote:
		f = read(e, func(d *Promoted) *Fault { return about(d.Release, l.promoted(e, d, before)) })
	case ActionRollback:
		f = read(e, func(d *RolledBack) *Fault { return about(d.Release, l.rolledBack(e, d)) })
	case ActionRollbackDone:
		f = read(e, func(d *RollbackDone) *Fault { return l.done(e, d) })
	case ActionRecover:
		if l.lost == 0 && Loses(e.Details) {
			l.lost = e.K
		}
	case actionClose:
		f = faultf(codeSequence, "a ledger never closes")
	}
	if f == nil {
		return nil
	}
	if l.amiss++; l.amiss > limits.Amiss {
		f = l.full("more than %d events do not follow from those before them", limits.Amiss)
	}
	f.K = e.K
	return f
}

// full is the fault of a ledger that has more of something than is judged.
func (l *State) full(format string, args ...any) *Fault {
	l.over = true
	f := faultf(codeLimit, format, args...)
	f.Text += ": from here on nothing is taken in"
	return f
}

// Room returns why an event of an action cannot be taken in any more, "" if it can.
func (l *State) Room(action string) string {
	switch {
	case l.over:
		return "it has more of something than is judged"
	case action == ActionRegister && len(l.policies) == limits.Policies:
		return fmt.Sprintf("it has %d registrations of policies, and no room for more", limits.Policies)
	case action == ActionSealed && len(l.order) == limits.Releases:
		return fmt.Sprintf("%d bundles came to a channel in it, and it has no room for more", limits.Releases)
	}
	return ""
}

// read reads the details of an event: its members and no others.
func read[T any](e Event, take func(*T) *Fault) *Fault {
	var d T
	if len(e.Details) == 0 {
		return faultf(codeFormat, "%s without details", e.Action)
	}
	if err := canon.Unmarshal(e.Details, &d); err != nil {
		return faultf(codeFormat, "the details are none of %s: %v", e.Action, err)
	}
	return take(&d)
}

// about says which bundle a fault is about.
func about(id sign.Digest, f *Fault) *Fault {
	if f != nil && f.Release == nil {
		f.Release = &id
	}
	return f
}

// Loses reports whether the details of a trail.recover say that events were on disk and
// are in the trail no more.
func Loses(details canon.Value) bool {
	var d struct {
		Acknowledged any `json:"acknowledged"`
	}
	return canon.Peek(details, &d) == nil && d.Acknowledged != nil
}

func (l *State) register(e Event, d *Registered) *Fault {
	data, err := d.Policy.Marshal()
	if err != nil {
		return faultf(codeFormat, "no gate policy: %v", err)
	}
	if digest := sign.Sum(data); digest != d.Digest {
		return faultf(codeMismatch, "the digest is not that of the policy").differs(digest.String(), d.Digest.String())
	}
	if len(l.policies) == limits.Policies {
		return l.full("more than %d policies are registered", limits.Policies)
	}
	p := &Registration{e.K, e.TimeMS, d.Digest, d.Policy}
	l.policies = append(l.policies, p)
	if l.registered[d.Digest] == nil {
		l.registered[d.Digest] = p
	}
	return nil
}

func (l *State) window(e Event) *Fault {
	if len(e.Details) == 0 {
		return faultf(codeFormat, "%s without details", e.Action)
	}
	w, err := ParseWindow(e.Details)
	if err != nil {
		return faultf(codeFormat, "%v", err)
	}
	id, _ := sign.ParseDigest(w.Release) // ParseWindow has
	r := l.releases[id]
	if r == nil {
		f := faultf(codeMismatch, "a window of a bundle that came to no channel")
		f.Earlier = true
		return about(id, f)
	}
	if w.Channel != r.Channel {
		return about(id, faultf(codeMismatch, "a window of another channel than that of its release").differs(r.Channel, w.Channel))
	}
	l.work++
	next := r.Count + 1
	if r.Count, r.Last = next, e.K; next == 1 {
		r.First = e.K
	}
	r.observed = r.observed.add(r.SinceMS, &w)
	r.furthest = r.furthest.add(e, &w)
	if f := l.keepWindow(r, e.K, &w); f != nil {
		return about(id, f)
	}
	if w.Seq == next || r.Hole != nil {
		return nil
	}
	f := faultf(codeDecision, "a window of the release was left out, repeated or moved: its seq does not follow").differs(fmt.Sprint(next), fmt.Sprint(w.Seq))
	f.Earlier, r.Hole = next == 1, f
	return about(id, f)
}

// clip shortens a text that is shown and not compared, where many may be kept.
func (l *State) clip(s string) string {
	if l.keep == nil || len(s) <= limits.Name {
		return s
	}
	return strings.ToValidUTF8(s[:limits.Name], "") + "…"
}

// keepWindow keeps a window of a release that is asked about.
func (l *State) keepWindow(r *Release, k int64, w *gates.Window) *Fault {
	switch {
	case r.full:
		return nil // and reported at the first
	case !r.kept:
		r.fired.look(l.PolicyOf(r), r, w)
		return nil
	case !r.Windows.Room(1, gates.TextOf(w)) || l.keep != nil && (l.held >= limits.Windows || l.text+gates.TextOf(w) > limits.WindowText):
		r.full = true
		return faultf(codeLimit, "more windows of one release than are judged: %d, or %d bytes of ids and values", limits.Windows, limits.WindowText)
	}
	r.Windows.Add(k, w)
	l.held, l.text = l.held+1, l.text+gates.TextOf(w)
	return nil
}

// dropWindows drops the windows of a release that has moved on, in a state of NewFor:
// nothing is decided about it any more. Before that it is noted whether one of them
// triggers a rollback.
func (l *State) dropWindows(r *Release) {
	if l.keep == nil || !r.kept {
		return
	}
	l.triggered(r)
	l.held, l.text = l.held-r.Windows.Len(), l.text-r.Windows.Text()
	r.kept, r.Windows = false, gates.Windows{}
}

// form returns what is wrong with d whatever the ledger says.
func (d *Sealed) form() *Fault {
	if !slices.Contains(gates.Channels, d.Channel) {
		return faultf(codeFormat, "%q is no channel", d.Channel)
	}
	if d.Version == "" || !canon.Printable(d.Version) || len(d.Version) > limits.Name {
		return faultf(codeFormat, "version is not text of 1 to %d characters within U+0020 to U+007E", limits.Name)
	}
	return nil
}

func (l *State) sealed(e Event, d *Sealed) *Fault {
	if l.releases[d.Bundle] != nil {
		return faultf(codeMismatch, "the bundle came to its channel before")
	}
	if len(l.order) == limits.Releases {
		return l.full("more than %d bundles came to a channel", limits.Releases)
	}
	r := &Release{Sealed: *d, K: e.K, SinceMS: e.TimeMS}
	if r.kept = l.keep == nil || l.keep(r); r.kept {
		r.Windows = *gates.NewWindows(d.Bundle.String(), d.Channel)
	}
	l.arrived(r)
	if d.Promote == nil {
		if d.Channel != gates.Canary {
			return faultf(codeDecision, "no event promoted the bundle to %s", d.Channel)
		}
		return nil
	}
	m := l.moves[*d.Promote]
	if m == nil || m.Source == nil {
		f := faultf(codeDecision, "event %d is no promotion", *d.Promote)
		f.Earlier = true
		return f
	}
	switch {
	case m.Sealed != nil:
		return faultf(codeMismatch, "the promotion of event %d was sealed before", m.K).differs(m.Sealed.Bundle.String(), d.Bundle.String())
	case m.To != d.Channel:
		return faultf(codeMismatch, "the bundle is on another channel than its promotion led to").differs(m.To, d.Channel)
	case m.Source.Version != d.Version:
		return faultf(codeMismatch, "the bundle is another version than the one that was promoted").differs(m.Source.Version, d.Version)
	case m.Judgement != nil && m.Judgement.Policy != nil && (d.Policy == nil || *d.Policy != m.Judgement.Policy.Digest):
		return faultf(codeMismatch, "the bundle names another policy than the one it was promoted by")
	case m.Source.Rollback != nil:
		return faultf(codeDecision, "the release was rolled back before the bundle was sealed")
	}
	m.Sealed = r
	return nil
}

func (l *State) overridden(e Event, d *Overridden) *Fault {
	if !said(e.Actor) || !said(e.Notes) {
		return faultf(codeDecision, "an override without its actor or its reason, in notes")
	}
	l.override = &Override{*d, e.K, l.clip(e.Actor), l.clip(e.Notes)}
	return nil
}

// said reports whether a text names somebody or gives a reason: it has a letter or a digit.
func said(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

func (l *State) promoted(e Event, d *Promoted, before *Override) *Fault {
	m := &Move{K: e.K, Release: d.Release, To: d.To, Source: l.releases[d.Release]}
	l.moves[e.K] = m
	if d.Override != nil && before != nil && before.K == *d.Override {
		m.Override = before
	}
	m.Fault = l.judgeMove(e, d, m)
	if r := m.Source; r != nil && r.Move == nil {
		r.Move = m
		l.dropWindows(r)
	}
	return m.Fault
}

func (l *State) judgeMove(e Event, d *Promoted, m *Move) *Fault {
	r := m.Source
	if r == nil {
		f := faultf(codeDecision, "the promoted bundle came to no channel")
		f.Earlier = true
		return f
	}
	if d.From != r.Channel || d.To != gates.Above(r.Channel) {
		return faultf(codeDecision, "a promotion that leaves out a channel").differs(r.Channel+" to "+gates.Above(r.Channel), d.From+" to "+d.To)
	}
	// Nothing is judged twice: a ledger of many promotions costs no more than its windows.
	if r.Rollback != nil {
		return faultf(codeDecision, "the release was rolled back; it can move up only as a new canary")
	}
	if r.Move != nil {
		return faultf(codeDecision, "the release was promoted before, by event %d", r.Move.K)
	}
	if !r.kept {
		return nil // the caller of NewFor does not ask about it
	}
	j, err := l.Judge(r, e.TimeMS)
	if err != nil {
		return faultf(codeDecision, "nothing can be decided: %v", err)
	}
	m.Judgement = j
	switch {
	case j.Policy == nil || j.late():
		return l.withoutPolicy(r, j)
	case slices.Contains(j.Reasons, reasonEarly):
		a := r.furthest
		return faultf(codeDecision, "window %q, which ends at %s, was recorded at %s, by event %d, before anybody could have measured it", a.id, stamp(a.endMS), stamp(a.now), a.k)
	case slices.Contains(j.Reasons, reasonFull):
		return faultf(codeDecision, "the release has as many windows as one can be judged by, and there may have been more")
	case slices.Contains(j.Reasons, reasonHole):
		return &Fault{Code: codeDecision, Text: "windows of the release were left out", Earlier: r.Hole.Earlier}
	case j.Lost():
		f := faultf(codeCut, "event %d says that events before it were lost: a window or a rollback of the release may have been among them", l.lost)
		f.Lost = true
		return f
	case slices.Contains(j.Reasons, reasonSize):
		return faultf(codeDecision, "the decision rests on more windows than its record has room for")
	case j.Digest != d.Decision:
		return faultf(codeDecision, "not the decision that follows from the windows").differs(j.Digest.String(), d.Decision.String())
	case d.Override == nil && j.Outcome() == gates.Promote:
		return nil
	case d.Override == nil:
		return faultf(codeDecision, "the windows do not support the promotion: %s", strings.Join(j.Unmet(), ", ")).differs(string(gates.Promote), string(j.Outcome()))
	case m.Override == nil:
		return faultf(codeDecision, "event %d is no override of this promotion", *d.Override)
	case !j.MayOverride():
		return faultf(codeDecision, "nobody can override this: %s", strings.Join(j.Unmet(), ", ")).differs(string(gates.Hold), string(j.Outcome()))
	}
	o := m.Override
	if o.Release != d.Release || o.From != d.From || o.To != d.To || o.Decision != d.Decision {
		return faultf(codeDecision, "event %d overrides another promotion", o.K)
	}
	if !slices.Equal(o.Unmet, j.Unmet()) {
		return faultf(codeDecision, "the override names other predicates than those that are unmet").differs(strings.Join(j.Unmet(), ", "), strings.Join(o.Unmet, ", "))
	}
	return nil
}

// withoutPolicy is the fault of a promotion that no policy can carry.
func (l *State) withoutPolicy(r *Release, j *Judgement) *Fault {
	f := faultf(codeLate, "no policy was registered")
	switch {
	case j.late():
		f.Text = fmt.Sprintf("the policy was registered at %s, by event %d, after the windows that it judges began, at %s", stamp(j.Policy.TimeMS), j.Policy.K, stamp(r.observed.ms))
	case r.Policy != nil:
		f.Text = "the policy that the release names was not registered"
	}
	f.Earlier = true
	return f
}
