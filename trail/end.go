package trail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/regular"
)

// An Ending says how a run ended.
type Ending struct {
	Status  string   // "": ok, if every step of the card ended so
	Outputs []string // the files that the run was for
	Actor   audit.Text
}

// An Ended is what the trail of a run says of its end.
type Ended struct {
	Status string
	Last   audit.Record // trail.close
}

// An EndedError reports that a trail has a run.end already.
type EndedError struct{ Status string }

func (e *EndedError) Error() string {
	return "the trail has run.end already, with status " + e.Status
}

// A NotOKError reports that a run cannot have ended ok: what a verifier of its bundle would
// find.
type NotOKError struct {
	Why string
	Err error // of an output that cannot be read; else nil
}

func (e *NotOKError) Error() string {
	if e.Err != nil {
		return "the run has not ended ok: " + e.Why + e.Err.Error()
	}
	return "the run has not ended ok: " + e.Why
}

// Unwrap returns the error of an output.
func (e *NotOKError) Unwrap() error { return e.Err }

// End appends run.end with the status and the outputs, unless the trail has one, and
// trail.close, after which nothing can be appended. left is told if the outputs are left
// out, since the run did not end ok; it may be nil.
func (r *Run) End(ctx context.Context, o Ending, left func(status string)) (e Ended, err error) {
	so, err := r.progress(ctx)
	if err != nil {
		return e, err
	}
	drafts := []audit.Draft{{Action: audit.ActionTrailClose, Actor: o.Actor}}
	e.Status = so.end
	if so.end == "" {
		end := audit.Draft{Action: audit.ActionRunEnd, Actor: o.Actor}
		if e.Status, err = so.outcome(r.card, o.Status); err != nil {
			return e, err
		}
		end.Status = e.Status
		switch {
		case e.Status == audit.StatusOK:
			if end.Outputs, err = so.artifacts(ctx, o.Outputs); err != nil {
				return e, err
			}
		case len(o.Outputs) > 0 && left != nil:
			left(e.Status)
		}
		drafts = append([]audit.Draft{end}, drafts...)
	} else if o.Status != "" || len(o.Outputs) > 0 {
		return e, &EndedError{so.end}
	}
	recs, err := r.Append(drafts...)
	if err != nil {
		return e, err
	}
	e.Last = recs[len(recs)-1]
	return e, nil
}

// artifacts returns what a run that ended ok was for. One that did not has none: a
// script that closes every run with the same outputs need not know which there are.
func (p progress) artifacts(ctx context.Context, outputs []string) ([]audit.Item, error) {
	items, err := Outputs(ctx, outputs)
	if err != nil {
		_, other := errors.AsType[*regular.KindError](err)
		if other || errors.Is(err, fs.ErrNotExist) {
			err = &NotOKError{"output ", err}
		}
		return nil, err
	}
	for _, it := range items {
		if step := p.madeOtherwise(it); step != "" {
			return nil, &NotOKError{Why: fmt.Sprintf("output %s is not what step %s made (E_DATA_MISMATCH)", it.URI, escape.Line(step))}
		}
	}
	return items, nil
}
