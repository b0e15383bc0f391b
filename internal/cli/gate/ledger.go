package gate

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/trail"
	"github.com/relseal/relseal/verify"
)

// readLedger reads the windows that a ledger recorded. To decide, nothing needs to be
// verified: the decision says what follows if the record is right. A line that cannot
// be read ends it, for what it said may have been a window.
func readLedger(env *ui.Env, c *cli.Context, arg string) (windowSource, error) {
	if c.IsSet("format") {
		return windowSource{}, ui.Usage(c.Command.HelpName + ": --format is for --windows")
	}
	name, err := ui.TrailFile(arg)
	if err != nil {
		return windowSource{}, err
	}
	faults := ui.NewTrailFaults(env)
	ledger, err := trail.Open(name, trail.Options{Fault: faults.Add})
	if err != nil {
		return windowSource{}, err
	}
	defer ledger.Close()
	if info, err := os.Stat(name); err != nil {
		return windowSource{}, err
	} else if !info.Mode().IsRegular() {
		return windowSource{}, &ui.Error{Code: ui.ExitNoInput, Err: fmt.Errorf("%s: not a regular file", name)}
	}
	s := windowSource{name: name, windows: map[windowsOf]*gates.Windows{}, ledger: gates.NewLedgerOf(func(sign.Digest) bool { return false }),
		sealed: map[string]int64{}, moved: map[string][]string{}, ahead: map[string]int64{}}
	env.Say("hint", escape.Line(name)+" was read and not verified; relseal trail verify does that")
	for e, err := range ledger.Brief(c.Context) {
		if err == nil {
			err = s.event(e)
		}
		if err != nil {
			return windowSource{}, err
		}
	}
	if faults.Verdict != verify.Verified {
		faults.Answer()
		return windowSource{}, &ui.Error{Code: ui.ExitNoInput, Err: fmt.Errorf("%s: nothing is decided from a ledger that cannot be read in full", name), Hint: "relseal trail verify says what was changed"}
	}
	return s, nil
}

// registered returns the policy by which the ledger judges a release, whatever was
// registered since.
func (s windowSource) registered(channel, id string) (*gates.Registration, error) {
	const other = "--policy F decides by another"
	digest, err := sign.ParseDigest(id)
	r := s.ledger.Release(digest)
	if err != nil || r == nil {
		return nil, &ui.Error{Code: ui.ExitUndecidable, Err: fmt.Errorf("%s: no policy judges %s: no such bundle came to a channel", s.name, cmp.Or(escape.Line(id), "windows of no release")), Hint: other}
	}
	if r.Channel != channel {
		return nil, &ui.Error{Code: ui.ExitUndecidable, Err: fmt.Errorf("%s: release %s is on %s, not on %s", s.name, r.Bundle, r.Channel, channel)}
	}
	p := s.ledger.PolicyOf(r)
	if p == nil {
		return nil, &ui.Error{Code: ui.ExitUndecidable, Err: fmt.Errorf("%s: POLICY_MISSING: no policy was registered for release %s", s.name, r.Bundle), Hint: other}
	}
	return p, nil
}

// event takes what the ledger says of windows.
func (s *windowSource) event(e trail.Event) error {
	fault := func(err error) error {
		return hint.With(fmt.Errorf("%s: event %d: %w", s.name, e.E.K, err), "relseal trail verify says whether it was changed")
	}
	s.latest = max(s.latest, e.E.TS.UnixMilli())
	switch e.E.Action {
	case gates.ActionSealed:
		var d gates.Sealed
		if err := canon.Unmarshal(e.E.Details, &d); err != nil {
			return fault(err)
		}
		s.sealed[d.Bundle.String()] = s.latest
		s.tell(e)
	case gates.ActionRegister:
		s.tell(e)
	case gates.ActionPromote, gates.ActionRollback:
		var d struct {
			Release sign.Digest `json:"release"`
		}
		if err := canon.Peek(e.E.Details, &d); err != nil {
			return fault(err)
		}
		why := map[string]string{gates.ActionPromote: "PROMOTED", gates.ActionRollback: "ROLLED_BACK"}[e.E.Action]
		if id := d.Release.String(); !slices.Contains(s.moved[id], why) {
			s.moved[id] = append(s.moved[id], why)
		}
	case gates.ActionWindow:
		w, err := gates.ParseWindowed(e.E.Details)
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
func (s *windowSource) tell(e trail.Event) {
	s.ledger.Add(gates.Event{K: e.E.K, TimeMS: s.latest, Action: e.E.Action, Details: e.E.Details})
}

// hole reports whether a ledger left out a window of the release: each counts its
// own from 1.
func (s windowSource) hole(windows *gates.Windows) bool {
	next := int64(1)
	for w := range windows.All() {
		if s.ledger != nil && w.Seq != next {
			return true
		}
		next++
	}
	return false
}
