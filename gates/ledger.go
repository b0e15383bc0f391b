package gates

import (
	"fmt"
	"iter"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// The actions of a ledger, the trail of a product's moves between channels.
// What its events say is in details, of the types below.
const (
	ActionRegister     = "policy.register" // Registered
	ActionSealed       = "bundle.sealed"   // Sealed
	ActionWindow       = "window"          // Windowed
	ActionPromote      = "promote"         // Promoted
	ActionOverride     = "override"        // Overridden
	ActionRollback     = "rollback"        // RolledBack
	ActionRollbackDone = "rollback.done"   // RollbackDone
)

// LedgerActions are those of which a Ledger takes note.
var LedgerActions = []string{ActionRegister, ActionSealed, ActionWindow, ActionPromote, ActionOverride, ActionRollback, ActionRollbackDone}

type (
	// Registered puts a policy in force for every release that has no window yet.
	Registered struct {
		Digest sign.Digest `json:"digest"`
		Policy Policy      `json:"policy"`
	}
	// Sealed says that a bundle came to a channel. Promote is the event that moved
	// it there, null on canary; Policy is that of the bundle's manifest.
	Sealed struct {
		Bundle  sign.Digest  `json:"bundle"`
		Channel string       `json:"channel"`
		Version string       `json:"version"`
		Policy  *sign.Digest `json:"policy"`
		Promote *int64       `json:"promote"`
	}
	// Windowed is one window, as it was measured.
	Windowed struct {
		Window Window `json:"window"`
	}
	// Promoted moves a release one channel up. Decision is the digest of the
	// decision at the time of the event; Override is the event before, if that
	// stands in for what is unmet.
	Promoted struct {
		Release  sign.Digest `json:"release"` // the source's bundle.id
		From     string      `json:"from"`
		To       string      `json:"to"`
		Decision sign.Digest `json:"decision"`
		Override *int64      `json:"override"`
	}
	// Overridden is a human's signature under what is unmet. Its actor is who, its
	// notes are why.
	Overridden struct {
		Release  sign.Digest `json:"release"`
		From     string      `json:"from"`
		To       string      `json:"to"`
		Decision sign.Digest `json:"decision"`
		Unmet    []string    `json:"unmet"`
	}
	// RolledBack takes a release from its channel for good. To is the bundle to
	// return to, null if there is none; Decision is null on demand.
	RolledBack struct {
		Release      sign.Digest  `json:"release"`
		Channel      string       `json:"channel"`
		To           *sign.Digest `json:"to"`
		Decision     *sign.Digest `json:"decision"`
		TriggerEndMS int64        `json:"trigger_end_ms"` // on demand the time of the event
		DeadlineMS   *int64       `json:"deadline_ms"`    // null if no policy says T_rollback
	}
	// RollbackDone closes the clock of a rollback.
	RollbackDone struct {
		Rollback int64   `json:"rollback"` // its event
		OK       bool    `json:"ok"`
		Reason   *string `json:"reason"`   // E_ROLLBACK_DEADLINE or E_TIMEBASE_SKEW
		TotalMS  *int64  `json:"total_ms"` // null if the clocks cannot tell
	}
)

// An Event is what a Ledger needs of an event: its place, its time, and what it says.
type Event struct {
	K       int64
	TimeMS  int64  // the greatest ts up to it, in ms since 1970, cut
	MonoMS  int64  // tau_mono_us in ms, cut; comparable within one Clock
	Clock   string // of MonoMS
	Actor   string // "" of a commit, and so are Notes: nobody is named, and nothing said
	Action  string
	Notes   string
	Details canon.Value
}

// A Fault is why an event does not follow from those before it.
type Fault struct {
	Code      string // E_FORMAT, E_DATA_MISMATCH, E_DECISION, E_POLICY_LATE, E_SEQUENCE or E_LIMIT
	K         int64
	Text      string
	Want, Got string       // where they say more than the text
	Release   *sign.Digest // the bundle that the event is about, nil if about none
	Earlier   bool         // what is missing may stand in an earlier part of a ledger that continues another
}

func (f *Fault) Error() string {
	if f.Want != "" || f.Got != "" {
		return fmt.Sprintf("%s: %s (want %s, got %s)", f.Code, f.Text, f.Want, f.Got)
	}
	return f.Code + ": " + f.Text
}

func faultf(code, format string, args ...any) *Fault {
	return &Fault{Code: code, Text: fmt.Sprintf(format, args...)}
}

func (f *Fault) differs(want, got string) *Fault {
	f.Want, f.Got = want, got
	return f
}

// A Ledger is what the events of a ledger say, one after the other. It reads no
// file and checks no signature: whoever feeds it has. The writer of a ledger asks
// it before an event is signed, and a verifier asks the same afterwards, so that
// what one of them promises the other finds.
type Ledger struct {
	policies   []*Registration
	registered map[sign.Digest]*Registration // the first of each policy
	releases   map[sign.Digest]*Release
	order      []*Release // as they came
	moves      map[int64]*Move
	rollbacks  map[int64]*Return
	override   *Override           // of the event before, if that is one
	heads      map[string]*Release // the last that came to each channel

	keep  func(*Release) bool // nil: of every release
	held  int                 // windows that are kept
	text  int64               // of them
	amiss int                 // events that did not follow
	over  bool                // there was too much of something
	work  int64

	judged *Judgement // the last that was made, nil if an event came since
}

// A Registration is a policy and where it was registered.
type Registration struct {
	K      int64
	TimeMS int64
	Digest sign.Digest
	Policy Policy
}

// A Release is one bundle on one channel. A promotion makes another bundle.
type Release struct {
	Sealed
	K       int64 // of its bundle.sealed
	SinceMS int64 // the time of that event

	Windows  Windows // as many as the ledger keeps: all of a release that may still move
	Count    int64   // windows, kept or not
	First    int64   // the event of the first one, 0 without any
	Last     int64   // and of the last one
	Hole     *Fault  // the first window whose seq does not follow: one was left out
	Move     *Move   // up, if it was promoted
	Rollback *Return // for good

	observed begin
	furthest ahead
	kept     bool     // its windows are there
	full     bool     // it has more than are judged
	fired    triggers // whether one of them triggers
	before   *Release // that came to the channel before it; see standing
	fallen   bool     // it, or what it became, was rolled back
}

// A begin is the instant at which what was measured of a release begins, if anything was.
type begin struct {
	ms   int64
	some bool
}

// add goes back to the start of w, or to when the release came if w had begun before. A
// window of the time before that says nothing about it.
func (b begin) add(sinceMS int64, w *Window) begin {
	if w.StartMS < sinceMS && w.EndMS <= sinceMS {
		return b
	}
	if from := max(w.StartMS, sinceMS); !b.some || from < b.ms {
		return begin{from, true}
	}
	return b
}

// An ahead is the window of a release that ends the furthest after the event that records
// it, by the ledger's clock.
type ahead struct {
	ms, k      int64
	id         string
	endMS, now int64
}

func (a ahead) add(e Event, w *Window) ahead {
	if ms := w.EndMS - e.TimeMS; ms > a.ms {
		return ahead{ms, e.K, w.ID, w.EndMS, e.TimeMS}
	}
	return a
}

// Early reports whether a window of r was recorded before it had ended, by more than
// clocks may differ under the policy: nobody had measured it then.
func (p *Registration) Early(r *Release) bool { return r.furthest.ms > p.Policy.SkewMaxMS }

// After reports whether the policy came, by the ledger's clock, after windows began
// that it judges, of a release that came to its channel at since. Whoever could choose
// one then would choose by what the windows show: it may take the release back, and
// never carries it further.
func (p *Registration) After(sinceMS int64, ws iter.Seq[Window]) bool {
	var b begin
	for w := range ws {
		b = b.add(sinceMS, &w)
	}
	return p.after(b)
}

// Late is After over all windows of r that the ledger has.
func (p *Registration) Late(r *Release) bool { return p.after(r.observed) }

func (p *Registration) after(b begin) bool { return b.some && p.TimeMS > b.ms }

// A Move is a promotion.
type Move struct {
	K         int64
	Release   sign.Digest // the bundle that the event names
	Source    *Release    // that bundle, nil if it came to no channel
	To        string
	Judgement *Judgement // at the time of the event; nil if nothing can be judged
	Override  *Override
	Fault     *Fault   // why it does not follow, nil if it does
	Sealed    *Release // what came of it, nil until that is recorded
}

// An Override is a human's signature.
type Override struct {
	Overridden
	K             int64
	Actor, Reason string
}

// A Return is a release that was taken from its channel.
type Return struct {
	RolledBack
	Event     Event
	Source    *Release
	Judgement *Judgement // nil on demand
	Done      *RollbackDone
	DoneK     int64
}

// NewLedger returns a ledger without events.
func NewLedger() *Ledger {
	return &Ledger{registered: map[sign.Digest]*Registration{}, releases: map[sign.Digest]*Release{}, moves: map[int64]*Move{},
		rollbacks: map[int64]*Return{}, heads: map[string]*Release{}}
}

// NewLedgerOf is NewLedger for one who asks about some releases alone, such as those
// that a bundle may have come from. It makes no decision about others again, keeps no
// windows of them, and lets go of those of a release that has moved on.
func NewLedgerOf(keep func(bundle sign.Digest) bool) *Ledger {
	l := NewLedger()
	l.keep = func(r *Release) bool { return keep(r.Bundle) }
	return l
}

// Work counts what the ledger has done: windows that were looked at, and steps from one
// release to another. It grows with the number of events, and with n log n where
// windows came out of order.
func (l *Ledger) Work() int64 { return l.work }

// Release returns the bundle with this id, nil if it never came to a channel.
func (l *Ledger) Release(id sign.Digest) *Release { return l.releases[id] }

// Releases returns all bundles in the order in which they came to their channels.
func (l *Ledger) Releases() []*Release { return l.order }

// Registration returns the first one of a policy, nil if there is none.
func (l *Ledger) Registration(policy sign.Digest) *Registration { return l.registered[policy] }

// Policies returns the registrations in their order.
func (l *Ledger) Policies() []*Registration { return l.policies }

// Move returns the promotion that event k is, nil if it is none.
func (l *Ledger) Move(k int64) *Move { return l.moves[k] }

// RollbackAt returns the rollback that event k is, nil if it is none.
func (l *Ledger) RollbackAt(k int64) *Return { return l.rollbacks[k] }

// Became returns the bundle that r became on the channel above, nil if there is none.
func (r *Release) Became() *Release {
	if r.Move == nil || r.Move.Sealed == nil || r.Move.Sealed.Channel != Above(r.Channel) {
		return nil
	}
	return r.Move.Sealed
}

// came takes note of a release that came to its channel.
func (l *Ledger) came(r *Release) {
	r.before, l.heads[r.Channel] = l.heads[r.Channel], r
	l.releases[r.Bundle] = r
	l.order = append(l.order, r)
}

// fall takes note that r was rolled back: neither it nor what it came from stands any
// more, for they are the same artifacts.
func (l *Ledger) fall(r *Release) {
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

// standing returns r, or the last that came to its channel before it, that stands:
// neither it nor what it became was rolled back. Those passed over are forgotten, for
// none of them will stand again.
func (l *Ledger) standing(r *Release) *Release {
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
func (l *Ledger) Head(channel string) *Release {
	r := l.standing(l.heads[channel])
	l.heads[channel] = r
	return r
}

// ReturnTo returns the bundle that a rollback of r leads back to: the one that
// stood on the channel before it; for a canary, or where there is none, the one
// that stands on the channel above. It is nil if there is none.
func (l *Ledger) ReturnTo(r *Release) *Release {
	for _, channel := range map[string][]string{Canary: {Stable, LTS}, Stable: {Stable, LTS}, LTS: {LTS}}[r.Channel] {
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
func (l *Ledger) MoveTo(r *Release) *Move {
	if r.Promote == nil {
		return nil
	}
	m := l.moves[*r.Promote]
	if m == nil || m.Source == nil || m.K >= r.K || Above(m.Source.Channel) != r.Channel {
		return nil
	}
	return m
}

// Way returns the promotions that lead to and include the one of event k, the
// first one first.
func (l *Ledger) Way(k int64) []*Move {
	var way []*Move
	for m := l.moves[k]; m != nil && m.Source != nil; m = l.MoveTo(m.Source) {
		way = append(way, m)
	}
	slices.Reverse(way)
	return way
}

// Above is the next channel, "" after LTS.
func Above(channel string) string { return map[string]string{Canary: Stable, Stable: LTS}[channel] }
