package gate

import (
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/observe"
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
	env.Say("hint", escape.Line(name)+" was read and not verified; relseal trail verify does that")
	s, err := observe.Ledger(name, ledger.Brief(c.Context))
	if err != nil {
		return windowSource{}, err
	}
	if faults.Verdict != verify.Verified {
		faults.Answer()
		return windowSource{}, &ui.Error{Code: ui.ExitNoInput, Err: fmt.Errorf("%s: nothing is decided from a ledger that cannot be read in full", name), Hint: "relseal trail verify says what was changed"}
	}
	return windowSource{s}, nil
}

// registered returns the policy by which the ledger judges a release, whatever was
// registered since.
func (s windowSource) registered(channel, id string) (*ledger.Registration, error) {
	p, err := s.Registered(channel, id)
	if e, ok := errors.AsType[*observe.NoPolicyError](err); ok {
		other := ""
		if e.Other {
			other = "--policy F decides by another"
		}
		return nil, &ui.Error{Code: ui.ExitUndecidable, Err: err, Hint: other}
	}
	return p, err
}
