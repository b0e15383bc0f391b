package audit

import (
	"fmt"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// content returns what is wrong with an event that follows from the chain. It does not
// change the judge, because a log calls it before it signs.
func (j *judge) content(l *parsed) []finding.Finding {
	e := &l.E
	var found []finding.Finding
	add := func(code finding.Code, text string) {
		found = append(found, finding.New(code, "", text).At(e.K))
	}
	differ := func(code finding.Code, text string, want, got *sign.Digest) {
		if !sameDigest(want, got) {
			found = append(found, finding.New(code, "", text).At(e.K).Differs(digestText(want), digestText(got)))
		}
	}

	if j.closed {
		add(finding.Sequence, "an event after "+ActionTrailClose)
	} else if j.intact && j.isRun() {
		// In a damaged trail the start of a step may be among what is missing.
		if fault := j.order.fault(e); fault != "" {
			add(finding.Sequence, fault)
		}
	}
	if j.isLedger() && e.Action == ActionTrailClose {
		add(finding.Sequence, "a ledger never closes")
	}
	if fault := j.rotationFault(e); fault != "" {
		add(finding.Sequence, fault)
	}
	if fault := j.limitFault(e); fault != "" {
		add(finding.Limit, fault+": from here on nothing is read")
	}
	differ(finding.EnvLock, "the event's EnvLock.fingerprint is not that of the trail", j.trust.env.Fingerprint, e.EnvLock.Fingerprint)
	differ(finding.Card, "the event's PipelineCard.hash is not that of the trail", j.trust.pipe.Hash, e.PipelineCard.Hash)
	differ(finding.Card, "the event's ParamCard.hash is not that of the trail", j.trust.param.Hash, e.ParamCard.Hash)
	differ(finding.DataMismatch, "inputs.hash is not the digest of inputs.items", l.inputs(), &e.Inputs.Hash)
	differ(finding.DataMismatch, "outputs.hash is not the digest of outputs.items", l.outputs(), &e.Outputs.Hash)
	switch seed := e.RNG.Seed; {
	case seed != nil && !isSeed(*seed):
		add(finding.SeedInvalid, "rng.seed is not an unsigned 64-bit number in decimal")
	case j.seeded && j.genesis != nil && j.genesis.Purpose == PurposeRun && !sameSeed(j.seed, seed):
		found = append(found, finding.New(finding.SeedInvalid, "", "rng.seed is not that of the run's first event").At(e.K).
			Differs(seedText(j.seed), seedText(seed)))
	}
	if f := j.times.fault(e); f != nil {
		found = append(found, *f)
	}
	return found
}

// limitFault says which limit the trail exceeds with e, or returns "". Limits bound what
// a judge remembers of a trail, however long it is.
func (j *judge) limitFault(e *Event) string {
	switch {
	case j.intact && j.order.startsStep(e) && len(j.order.steps) >= limits.Steps:
		return fmt.Sprintf("more than %d steps start", limits.Steps)
	case len(j.times.tau) >= limits.Clocks && j.times.tickOf(e.Clock) == nil:
		return fmt.Sprintf("more than %d clocks", limits.Clocks)
	case e.Action == ActionKeyRotate && j.isLedger() && len(j.keys.earlier) >= limits.Rotations:
		return fmt.Sprintf("handed over more than %d times", limits.Rotations)
	}
	return ""
}

func (j *judge) isRun() bool { return j.genesis != nil && j.genesis.Purpose == PurposeRun }

// itemsDigest returns what the hash of s must be. If the items are not recorded, it may
// be anything, and the recorded hash is returned.
func itemsDigest(s *Items) *sign.Digest {
	if len(s.Items) == 0 {
		return &s.Hash
	}
	data, err := canon.Marshal(s.Items)
	if err != nil {
		return nil // cannot happen: the items come from a canonical line
	}
	d := sign.Sum(data)
	return &d
}

func sameDigest(a, b *sign.Digest) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func digestText(d *sign.Digest) string {
	if d == nil {
		return "null"
	}
	return d.String()
}

func sameSeed(a, b *string) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func seedText(s *string) string {
	if s == nil {
		return "null"
	}
	return clip(*s)
}

// order is how far a run has come by its events, which come in this order:
//
//	run.start (step.start step.end | …)* run.end … trail.close
//
// Steps may overlap, and one that was started need not end, since a run may be
// aborted or killed. Other actions may stand anywhere between run.start and
// trail.close.
//
// A trail that continues another one need not begin with run.start, and its steps may
// have started there. It has at most one run.end, because a run has one outcome.
type order struct {
	continued bool // the trail continues another one
	started   bool
	ended     bool
	steps     map[sign.Digest]bool // by the digest of the step id; true: has ended
}

// fault returns why e may not come now, "" if it may.
func (o *order) fault(e *Event) string {
	switch {
	case e.Action == ActionRunStart && o.started && o.continued:
		return ActionRunStart + " is not the first event"
	case e.Action == ActionRunStart && o.started:
		return "the run starts twice"
	case e.Action != ActionRunStart && !o.started && !o.continued:
		return "the first event of a run is " + ActionRunStart
	}
	switch e.Action {
	case ActionStepStart, ActionStepEnd:
		step, named := stepOf(e)
		ended, begun := o.steps[step]
		switch {
		case o.ended:
			return e.Action + " after " + ActionRunEnd
		case o.continued: // the step may have started in the other trail
		case e.Path.IsZero():
			return e.Action + " names no step in path"
		case !named: // the step id is a commitment
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
		if !o.ended && !o.continued {
			return ActionTrailClose + " before " + ActionRunEnd
		}
	}
	return ""
}

// startsStep reports whether e is the first event about its step.
func (o *order) startsStep(e *Event) bool {
	if e.Action != ActionStepStart && e.Action != ActionStepEnd {
		return false
	}
	step, named := stepOf(e)
	_, begun := o.steps[step]
	return named && !begun
}

// add takes in e, whether or not it has a fault.
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

// stepOf returns the digest of a step id. Digests are remembered instead of ids because
// a hostile trail may have many long ones.
func stepOf(e *Event) (id sign.Digest, named bool) {
	if e.Path.Value == nil {
		return id, false
	}
	return sign.Sum([]byte(*e.Path.Value)), true
}
