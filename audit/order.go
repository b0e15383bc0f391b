package audit

import "github.com/relseal/relseal/sign"

// order is how far a run has come, by what its events say:
//
//	run.start (step.start step.end | …)* run.end … trail.close
//
// Steps may overlap, and one that was started need not end: a run may be
// aborted or killed. Other actions may stand anywhere between run.start and
// trail.close.
//
// A part that goes on from another trail need not begin with run.start, and its steps
// may have begun there. It has one end all the same: a run has one outcome.
type order struct {
	part    bool // the trail goes on from another one
	started bool
	ended   bool
	steps   map[sign.Digest]bool // by the digest of the step id; true: has ended
}

// fault returns why e may not come now, "" if it may.
func (o *order) fault(e *Event) string {
	switch {
	case e.Action == ActionRunStart && o.started && o.part:
		return ActionRunStart + " is not the first event"
	case e.Action == ActionRunStart && o.started:
		return "the run starts twice"
	case e.Action != ActionRunStart && !o.started && !o.part:
		return "the first event of a run is " + ActionRunStart
	}
	switch e.Action {
	case ActionStepStart, ActionStepEnd:
		step, named := stepOf(e)
		ended, begun := o.steps[step]
		switch {
		case o.ended:
			return e.Action + " after " + ActionRunEnd
		case o.part: // what the other trail says of its steps is not known here
		case e.Path.IsZero():
			return e.Action + " names no step in path"
		case !named: // a commitment: which step it is may be unknown
		case e.Action == ActionStepStart && begun:
			return "step " + clip(e.Path.String()) + " starts twice"
		case e.Action == ActionStepEnd && !begun:
			return "step " + clip(e.Path.String()) + " ends without a start"
		case e.Action == ActionStepEnd && ended:
			return "step " + clip(e.Path.String()) + " ends twice"
		}
	case ActionRunAbort, ActionRunEnd:
		if o.ended {
			return e.Action + " after " + ActionRunEnd
		}
	case ActionTrailClose:
		if !o.ended && !o.part {
			return ActionTrailClose + " before " + ActionRunEnd
		}
	}
	return ""
}

// more reports whether e is about a step that no event was about before.
func (o *order) more(e *Event) bool {
	if e.Action != ActionStepStart && e.Action != ActionStepEnd {
		return false
	}
	step, named := stepOf(e)
	_, begun := o.steps[step]
	return named && !begun
}

// add moves on past e, whether or not it had a fault.
func (o *order) add(e *Event) {
	o.started = true
	switch e.Action {
	case ActionStepStart, ActionStepEnd:
		if step, named := stepOf(e); named {
			if o.steps == nil {
				o.steps = map[sign.Digest]bool{}
			}
			o.steps[step] = e.Action == ActionStepEnd
		}
	case ActionRunEnd:
		o.ended = true
	}
}

// stepOf returns the digest of a step id: a hostile trail has many long ones.
func stepOf(e *Event) (id sign.Digest, named bool) {
	if e.Path.Value == nil {
		return id, false
	}
	return sign.Sum([]byte(*e.Path.Value)), true
}
