package ui

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/trail"
	"github.com/relseal/relseal/verify"
)

// TrailFile returns the trail that an argument names: a file, or that of a run
// directory.
func TrailFile(arg string) (string, error) {
	file, err := trail.File(arg)
	if file != arg && errors.Is(err, fs.ErrNotExist) {
		err = hint.With(err, "relseal trail start makes a run directory")
	}
	return file, err
}

// Vacant refuses a directory that holds something: a run is never mixed with
// another.
func Vacant(dir string) error {
	_, err := durable.Vacant(dir)
	if errors.Is(err, durable.ErrNotEmpty) {
		return hint.With(err, "a run directory is new; choose another name")
	}
	return err
}

// shownFaults is how many faults of one trail are listed.
const shownFaults = 20

// TrailFaults says what is wrong with a trail while its events are read, and
// keeps the answer that follows.
type TrailFaults struct {
	Verdict verify.Verdict

	env   *Env
	code  verify.Code // of the first finding that is as bad as the verdict
	count int64
}

// NewTrailFaults returns the faults of a trail that has none so far.
func NewTrailFaults(env *Env) *TrailFaults { return &TrailFaults{env: env, Verdict: verify.Verified} }

// Add says a fault.
func (t *TrailFaults) Add(f trail.Fault) {
	if f.Code != "" && t.Verdict.Worse(f.Verdict) != t.Verdict {
		t.code = f.Code
	}
	t.Verdict = t.Verdict.Worse(f.Verdict)
	kind := "error"
	if f.Verdict == verify.Note {
		kind = "hint"
	}
	if t.count++; t.count <= shownFaults {
		t.env.Say(kind, f.Text)
	}
}

// Answer carries the verdict to the exit code.
func (t *TrailFaults) Answer() error {
	if n := t.count - shownFaults; n > 0 {
		t.env.Say("error", fmt.Sprintf("and %d more", n))
	}
	a := &Answer{Code: ExitReject}
	switch {
	case t.Verdict == verify.Verified:
		return nil
	case t.Verdict == verify.Undecidable:
		a.Code = ExitUndecidable
	case t.code == "": // nothing was verified: lines that are none are no answer
		a.Code = ExitNoInput
	}
	if t.code != "" {
		a.Hint = fmt.Sprintf("relseal explain %s says what to do", t.code)
	}
	return a
}
