// Package ledger follows a product's releases from channel to channel: what the events of
// a ledger say, and whether each follows from those before it.
//
// A ledger is a trail whose events have these actions and details:
//
//	policy.register  Registered    a policy comes into force
//	bundle.sealed    Sealed        a bundle comes to a channel
//	window           Windowed      a window was measured
//	promote          Promoted      a release moves one channel up, by a decision
//	override         Overridden    somebody signs what the decision lacks
//	rollback         RolledBack    a release leaves its channel for good
//	rollback.done    RollbackDone  the release before it is back
//
// docs/format.md, "What a ledger records", has their members and rules.
//
// A [State] is fed these events one after the other, with [State.Add], and answers what
// follows: which bundle stands on a channel ([State.Head]), what the windows of a release
// say now ([State.Judge]), what a rollback must say ([State.RollbackOf]). It reads no
// file, no clock and no signature: whoever feeds it has checked those. The writer of a
// ledger asks it before an event is signed, and a verifier asks the same one afterwards,
// so that the two cannot disagree.
package ledger

import (
	"iter"
	"slices"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/sign"
)

// A State is what the events of a ledger say, up to one of them.
type State struct {
	policies   []*Registration
	registered map[sign.Digest]*Registration // the first of each policy
	releases   map[sign.Digest]*Release
	order      []*Release // as they came
	moves      map[int64]*Move
	rollbacks  map[int64]*Rollback
	override   *Override           // of the event before, if that is one
	heads      map[string]*Release // the last that came to each channel

	keep  func(*Release) bool // whether the windows of a release are kept; nil: those of every release
	held  int                 // windows that are kept
	text  int64               // their bytes of ids and values
	amiss int                 // events that did not follow
	over  bool                // a limit was exceeded: nothing more is taken in
	lost  int64               // the first event that says that events were lost, 0 for none
	work  int64

	judged *Judgement // the last one that was made, nil if an event came since
}

// A Registration is a policy and where it was registered.
type Registration struct {
	K      int64
	TimeMS int64
	Digest sign.Digest
	Policy gates.Policy
}

// A Release is one bundle on one channel. A promotion makes another bundle.
type Release struct {
	Sealed
	K       int64 // of its bundle.sealed
	SinceMS int64 // the time of that event

	Windows  gates.Windows // as many as the ledger keeps: all of a release that may still move
	Count    int64         // windows, kept or not
	First    int64         // the event of the first one, 0 without any
	Last     int64         // and of the last one
	Hole     *Fault        // the first window whose seq does not follow: one was left out
	Move     *Move         // up, if it was promoted
	Rollback *Rollback     // for good

	observed start
	furthest lead
	kept     bool     // its windows are there
	full     bool     // it has more than are judged
	fired    triggers // whether one of them triggers
	before   *Release // that came to the channel before it; see standing
	fallen   bool     // it, or what it became, was rolled back
}

// A start is the instant at which the windows of a release begin that its policy judges,
// if there are any.
type start struct {
	ms   int64
	some bool
}

// add moves b back to the start of w, or to since, when the release came, if w had begun
// before that. A window that had ended by then says nothing about the release.
func (b start) add(sinceMS int64, w *gates.Window) start {
	if w.StartMS < sinceMS && w.EndMS <= sinceMS {
		return b
	}
	if from := max(w.StartMS, sinceMS); !b.some || from < b.ms {
		return start{from, true}
	}
	return b
}

// A lead is the window of a release that ends the furthest after the event that records
// it, by the ledger's clock.
type lead struct {
	ms, k      int64 // how far it ends after its event, and that event
	id         string
	endMS, now int64 // the end of the window, the time of the event
}

func (a lead) add(e Event, w *gates.Window) lead {
	if ms := w.EndMS - e.TimeMS; ms > a.ms {
		return lead{ms, e.K, w.ID, w.EndMS, e.TimeMS}
	}
	return a
}

// Early reports whether a window of r was recorded before it had ended, by more than
// clocks may differ under the policy: nobody had measured it then.
func (p *Registration) Early(r *Release) bool { return r.furthest.ms > p.Policy.SkewMaxMS }

// After reports whether the policy was registered, by the ledger's clock, after the first
// of these windows began. They are of a release that came to its channel at since.
// Whoever registers a policy then can choose it by what the windows show: so it may roll
// the release back, and never promotes it.
func (p *Registration) After(sinceMS int64, ws iter.Seq[gates.Window]) bool {
	var b start
	for w := range ws {
		b = b.add(sinceMS, &w)
	}
	return p.after(b)
}

// Late is [Registration.After] over all windows of r that the ledger has.
func (p *Registration) Late(r *Release) bool { return p.after(r.observed) }

func (p *Registration) after(b start) bool { return b.some && p.TimeMS > b.ms }

// A Move is a promotion.
type Move struct {
	K         int64       // its event
	Release   sign.Digest // the bundle that the event names
	Source    *Release    // that bundle, nil if it came to no channel
	To        string
	Judgement *Judgement // at the time of the event; nil if nothing can be judged
	Override  *Override
	Fault     *Fault   // why it does not follow, nil if it does
	Sealed    *Release // what came of it, nil until that is recorded
}

// An Override is a human's signature under what a decision lacks.
type Override struct {
	Overridden
	K             int64
	Actor, Reason string
}

// A Rollback is a release that was taken from its channel.
type Rollback struct {
	RolledBack
	Event     Event
	Source    *Release
	Judgement *Judgement // nil on demand
	Done      *RollbackDone
	DoneK     int64
}

// New returns the state of a ledger without events.
func New() *State {
	return &State{registered: map[sign.Digest]*Registration{}, releases: map[sign.Digest]*Release{}, moves: map[int64]*Move{},
		rollbacks: map[int64]*Rollback{}, heads: map[string]*Release{}}
}

// NewFor is [New] for a caller who asks about some releases alone, such as those
// that a bundle may have come from. It makes no decision about others again, keeps no
// windows of them, and lets go of those of a release that has moved on.
func NewFor(keep func(bundle sign.Digest) bool) *State {
	l := New()
	l.keep = func(r *Release) bool { return keep(r.Bundle) }
	return l
}

// Work counts what the ledger has done: windows that were looked at, and steps from one
// release to another. It grows with the number of events, and with n log n where
// windows came out of order.
func (l *State) Work() int64 { return l.work }

// Lost returns the first trail.recover which says that events were on disk and are in the
// ledger no more, 0 if there is none. A window, a rollback or a policy may have been among
// them, of any release: so no promotion after it can be decided.
func (l *State) Lost() int64 { return l.lost }

// Release returns the bundle with this id, nil if it never came to a channel.
func (l *State) Release(id sign.Digest) *Release { return l.releases[id] }

// Releases returns all bundles in the order in which they came to their channels.
func (l *State) Releases() []*Release { return l.order }

// Registration returns the first one of a policy, nil if there is none.
func (l *State) Registration(policy sign.Digest) *Registration { return l.registered[policy] }

// Policies returns the registrations in their order.
func (l *State) Policies() []*Registration { return l.policies }

// Move returns the promotion that event k is, nil if it is none.
func (l *State) Move(k int64) *Move { return l.moves[k] }

// Rollback returns the rollback that event k is, nil if it is none.
func (l *State) Rollback(k int64) *Rollback { return l.rollbacks[k] }

// Became returns the bundle that r became on the channel above, nil if there is none.
func (r *Release) Became() *Release {
	if r.Move == nil || r.Move.Sealed == nil || r.Move.Sealed.Channel != gates.Above(r.Channel) {
		return nil
	}
	return r.Move.Sealed
}

// arrived takes note of a release that came to its channel.
func (l *State) arrived(r *Release) {
	r.before, l.heads[r.Channel] = l.heads[r.Channel], r
	l.releases[r.Bundle] = r
	l.order = append(l.order, r)
}

// fall takes note that r was rolled back. The releases that it was promoted from, on the
// channels below, are the same artifacts, so they do not stand any more either.
func (l *State) fall(r *Release) {
	for r != nil {
		l.work++
		r.fallen = true
		m := l.MoveTo(r)
		if m == nil || m.Sealed != r || m.Source.Move != m {
			return
		}
		r = m.Source
	}
}

// standing returns the last release that stands, among r and those that came to its
// channel before it: neither it nor what it became was rolled back. The ones after it are
// unlinked, since what was rolled back never stands again, so that no later call walks
// over them.
func (l *State) standing(r *Release) *Release {
	at := r
	for at != nil && at.fallen {
		l.work++
		at = at.before
	}
	for r != at {
		r, r.before = r.before, at
	}
	return at
}

// Head returns the bundle that stands on a channel: the last that came there, and
// neither it nor what it became was rolled back. It is nil if there is none.
func (l *State) Head(channel string) *Release {
	r := l.standing(l.heads[channel])
	l.heads[channel] = r
	return r
}

// ReturnTo returns the bundle that a rollback of r leads back to: the one that
// stood on the channel before it; for a canary, or where there is none, the one
// that stands on the channel above. It is nil if there is none.
func (l *State) ReturnTo(r *Release) *Release {
	for _, channel := range map[string][]string{gates.Canary: {gates.Stable, gates.LTS}, gates.Stable: {gates.Stable, gates.LTS}, gates.LTS: {gates.LTS}}[r.Channel] {
		to := l.Head(channel)
		if channel == r.Channel {
			to = l.standing(r.before)
			r.before = to
		}
		if to != nil {
			return to
		}
	}
	return nil
}

// MoveTo returns the promotion that made r, nil if it is none from the channel
// below: there are no more steps than channels, whatever a ledger says.
func (l *State) MoveTo(r *Release) *Move {
	if r.Promote == nil {
		return nil
	}
	m := l.moves[*r.Promote]
	if m == nil || m.Source == nil || m.K >= r.K || gates.Above(m.Source.Channel) != r.Channel {
		return nil
	}
	return m
}

// Promotions returns those that lead to and include the one of event k, the
// first one first.
func (l *State) Promotions(k int64) []*Move {
	var all []*Move
	for m := l.moves[k]; m != nil && m.Source != nil; m = l.MoveTo(m.Source) {
		all = append(all, m)
	}
	slices.Reverse(all)
	return all
}
