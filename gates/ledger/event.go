package ledger

import (
	"bytes"
	"fmt"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
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
	ActionRecover      = "trail.recover"   // of any trail: its member acknowledged is what was on disk and is lost, or null
)

// Actions are those of which a State takes note.
var Actions = []string{ActionRegister, ActionSealed, ActionWindow, ActionPromote, ActionOverride, ActionRollback, ActionRollbackDone, ActionRecover}

type (
	// Registered puts a policy in force for every release that has no window yet.
	Registered struct {
		Digest sign.Digest  `json:"digest"`
		Policy gates.Policy `json:"policy"`
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
		Window gates.Window `json:"window"`
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

// ParseWindow reads the details of a window's event, a [Windowed], in canonical form.
func ParseWindow(details []byte) (gates.Window, error) {
	if data, ok := bytes.CutPrefix(details, []byte(`{"window":`)); ok {
		if data, ok = bytes.CutSuffix(data, []byte("}")); ok {
			if w, err := gates.ParseWindow(data); err == nil {
				return w, nil
			}
		}
	}
	var d struct {
		Window canon.Value `json:"window"`
	}
	if err := canon.Unmarshal(details, &d); err != nil {
		return gates.Window{}, fmt.Errorf("the details are none of %s: %w", ActionWindow, err)
	}
	w, err := gates.ParseWindow(d.Window)
	if err != nil {
		err = fmt.Errorf("no window: %w", err)
	}
	return w, err
}

// An Event is what a State needs of an event: its place, its time, and what it says.
type Event struct {
	K       int64  // its number
	TimeMS  int64  // the greatest ts up to it, in ms since 1970, rounded down
	MonoMS  int64  // tau_mono_us in ms, rounded down; comparable within one Clock
	Clock   string // the clock that MonoMS was read from
	Actor   string // who did it; "" where the trail has only a commitment to the name
	Action  string
	Notes   string // why; "" likewise
	Details canon.Value
}

// A Fault is why an event does not follow from those before it.
type Fault struct {
	Code      string // E_FORMAT, E_DATA_MISMATCH, E_DECISION, E_POLICY_LATE, E_SEQUENCE, E_LEDGER_CUT or E_LIMIT
	K         int64  // the event
	Text      string
	Want, Got string       // where they say more than the text
	Release   *sign.Digest // the bundle that the event is about, nil if about none
	Earlier   bool         // what is missing may stand in an earlier part of a ledger that continues another
	Lost      bool         // nothing is wrong with the event, but others that bear on it were lost: see State.Lost
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
