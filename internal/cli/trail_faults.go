package cli

import (
	"fmt"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/verify"
)

// shownFaults is how many faults of one trail are listed.
const shownFaults = 20

// trailFaults says what is wrong with a trail while its events are read, and
// keeps the answer that follows.
type trailFaults struct {
	env     *ui.Env
	verdict verify.Verdict
	code    verify.Code // of the first finding that is as bad as verdict
	count   int64
}

func newTrailFaults(env *ui.Env) *trailFaults {
	return &trailFaults{env: env, verdict: verify.Verified}
}

func (t *trailFaults) add(v verify.Verdict, text string) {
	t.verdict = t.verdict.Worse(v)
	kind := "error"
	if v == verify.Note {
		kind = "hint"
	}
	if t.count++; t.count <= shownFaults {
		t.env.Say(kind, text)
	}
}

func (t *trailFaults) reject(err error) { t.add(verify.Reject, err.Error()) }

func (t *trailFaults) torn(name string) {
	t.add(verify.Undecidable, name+": ends in the middle of a line: it is being written, or a crash cut it off")
}

func (t *trailFaults) finding(name string, f finding.Finding) {
	if t.verdict.Worse(f.Verdict) != t.verdict {
		t.code = f.Code
	}
	t.add(f.Verdict, name+": "+trailFinding(f))
}

// answer carries the verdict to the exit code.
func (t *trailFaults) answer() error {
	if n := t.count - shownFaults; n > 0 {
		t.env.Say("error", fmt.Sprintf("and %d more", n))
	}
	a := &ui.Answer{Code: ui.ExitReject}
	switch {
	case t.verdict == verify.Verified:
		return nil
	case t.verdict == verify.Undecidable:
		a.Code = ui.ExitUndecidable
	case t.code == "": // nothing was verified: lines that are none are no answer
		a.Code = ui.ExitNoInput
	}
	if t.code != "" {
		a.Hint = fmt.Sprintf("relseal explain %s says what to do", t.code)
	}
	return a
}
