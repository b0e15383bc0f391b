package observe

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/trail"
)

// Ledger takes the windows that a ledger recorded from its events, which need be read in
// brief only. To decide, nothing has to be verified: the decision says what follows if the
// record is right.
func Ledger(name string, events iter.Seq2[trail.Event, error]) (*Windows, error) {
	s := &Windows{Name: name, of: map[Of]*gates.Windows{}, ledger: ledger.NewFor(func(sign.Digest) bool { return false }),
		sealed: map[string]int64{}, moved: map[string][]string{}, ahead: map[string]int64{}}
	for e, err := range events {
		if err == nil {
			err = s.event(e)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// event takes what the ledger says of windows.
func (s *Windows) event(e trail.Event) error {
	fault := func(err error) error {
		return hint.With(fmt.Errorf("%s: event %d: %w", s.Name, e.E.K, err), "relseal trail verify says whether it was changed")
	}
	s.latest = max(s.latest, e.E.TS.UnixMilli())
	switch e.E.Action {
	case ledger.ActionSealed:
		var d ledger.Sealed
		if err := canon.Unmarshal(e.E.Details, &d); err != nil {
			return fault(err)
		}
		s.sealed[d.Bundle.String()] = s.latest
		s.tell(e)
	case ledger.ActionRegister:
		s.tell(e)
	case ledger.ActionPromote, ledger.ActionRollback:
		var d struct {
			Release sign.Digest `json:"release"`
		}
		if err := canon.Peek(e.E.Details, &d); err != nil {
			return fault(err)
		}
		why := map[string]string{ledger.ActionPromote: "PROMOTED", ledger.ActionRollback: "ROLLED_BACK"}[e.E.Action]
		if id := d.Release.String(); !slices.Contains(s.moved[id], why) {
			s.moved[id] = append(s.moved[id], why)
		}
	case ledger.ActionWindow:
		w, err := ledger.ParseWindow(e.E.Details)
		if err != nil {
			return fault(err)
		}
		s.ahead[w.Release] = max(s.ahead[w.Release], w.EndMS-s.latest)
		if s.add(e.E.K, w) {
			s.tell(e)
		}
	}
	return nil
}

// tell lets the ledger know of what it takes to say which policy judges a release: what was
// registered, what came to a channel, and the first window of each.
func (s *Windows) tell(e trail.Event) {
	s.ledger.Add(ledger.Event{K: e.E.K, TimeMS: s.latest, Action: e.E.Action, Details: e.E.Details})
}

// A NoPolicyError says why a ledger has no policy by which to judge.
type NoPolicyError struct {
	Text  string
	Other bool // another policy could judge
}

func (e *NoPolicyError) Error() string { return e.Text }

// Registered returns the policy by which the ledger judges a release on a channel, whatever
// was registered since.
func (s *Windows) Registered(channel, id string) (*ledger.Registration, error) {
	digest, err := sign.ParseDigest(id)
	r := s.ledger.Release(digest)
	if err != nil || r == nil {
		return nil, &NoPolicyError{fmt.Sprintf("%s: no policy judges %s: no such bundle came to a channel", s.Name, cmp.Or(escape.Line(id), "windows of no release")), true}
	}
	if r.Channel != channel {
		return nil, &NoPolicyError{fmt.Sprintf("%s: release %s is on %s, not on %s", s.Name, r.Bundle, r.Channel, channel), false}
	}
	p := s.ledger.PolicyOf(r)
	if p == nil {
		return nil, &NoPolicyError{fmt.Sprintf("%s: POLICY_MISSING: no policy was registered for release %s", s.Name, r.Bundle), true}
	}
	return p, nil
}

// Sealed returns when a release came to its channel, if the source is a ledger that says so.
func (s *Windows) Sealed(release string) (ms int64, ok bool) {
	ms, ok = s.sealed[release]
	return ms, ok
}

// Moved returns what the ledger says became of a release: PROMOTED, ROLLED_BACK or both.
func (s *Windows) Moved(release string) []string { return s.moved[release] }

// AheadMS returns by how much a window of a release ends after its event, at most.
func (s *Windows) AheadMS(release string) int64 { return s.ahead[release] }

// Hole reports whether a ledger left out a window of the release: each counts its
// own from 1.
func (s *Windows) Hole(windows *gates.Windows) bool {
	next := int64(1)
	for w := range windows.All() {
		if s.ledger != nil && w.Seq != next {
			return true
		}
		next++
	}
	return false
}
