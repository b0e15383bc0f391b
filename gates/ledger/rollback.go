package ledger

import (
	"fmt"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/sign"
)

func (l *State) rolledBack(e Event, d *RolledBack) *Fault {
	r := l.releases[d.Release]
	if r == nil {
		f := faultf(codeDecision, "the bundle that is rolled back came to no channel")
		f.Earlier = true
		return f
	}
	if r.Rollback != nil {
		return faultf(codeDecision, "the release was rolled back before, by event %d", r.Rollback.Event.K)
	}
	e.Details = nil
	e.Actor, e.Notes = l.clip(e.Actor), l.clip(e.Notes)
	b := &Rollback{RolledBack: *d, Event: e, Source: r}
	var want RolledBack
	var fault *Fault
	if d.Decision == nil || r.kept {
		want, b.Judgement, fault = l.RollbackOf(r, e.TimeMS, d.Decision == nil)
	} else { // the caller of NewFor does not ask about it
		want = *d
		want.To = l.returnTo(r)
		b.Judgement = &Judgement{Release: r, Policy: l.PolicyOf(r)}
	}
	became := r.Became()
	r.Rollback, l.rollbacks[e.K] = b, b
	l.fall(r)
	l.dropWindows(r)
	switch {
	case became != nil:
		return faultf(codeDecision, "the release went on, and only what it became can be rolled back: %s", became.Bundle)
	case fault != nil:
		return fault
	case d.Decision == nil && (!said(e.Actor) || !said(e.Notes)):
		return faultf(codeDecision, "a rollback on demand without its actor or its reason, in notes")
	case d.Channel != r.Channel:
		return faultf(codeMismatch, "the release is on another channel").differs(r.Channel, d.Channel)
	case d.Decision != nil && *d.Decision != *want.Decision:
		return faultf(codeDecision, "not the decision that follows from the windows").differs(want.Decision.String(), d.Decision.String())
	case !same(d.To, want.To):
		return faultf(codeDecision, "not the bundle to return to").differs(optional(want.To), optional(d.To))
	case d.TriggerEndMS != want.TriggerEndMS:
		return faultf(codeDecision, "not the end of the window that rolls back").differs(fmt.Sprint(want.TriggerEndMS), fmt.Sprint(d.TriggerEndMS))
	case !same(d.DeadlineMS, want.DeadlineMS):
		return faultf(codeDecision, "not the deadline that follows from T_rollback").differs(optional(want.DeadlineMS), optional(d.DeadlineMS))
	}
	return nil
}

func (l *State) returnTo(r *Release) *sign.Digest {
	if to := l.ReturnTo(r); to != nil {
		return &to.Bundle
	}
	return nil
}

// RollbackOf returns what the rollback of r at an instant has to say: on demand,
// or because a decision is ROLLBACK. If it is not, that is the fault.
func (l *State) RollbackOf(r *Release, nowMS int64, onDemand bool) (RolledBack, *Judgement, *Fault) {
	d := RolledBack{Release: r.Bundle, Channel: r.Channel, TriggerEndMS: nowMS}
	d.To = l.returnTo(r)
	if onDemand {
		// Nobody waits for a policy to be registered before rolling back.
		if p := l.PolicyOf(r); p != nil {
			deadline := nowMS + p.Policy.TRollbackMS
			d.DeadlineMS = &deadline
		}
		return d, nil, nil
	}
	j, err := l.Judge(r, nowMS)
	if err != nil {
		return d, nil, faultf(codeDecision, "nothing can be decided: %v", err)
	}
	if j.Policy == nil {
		return d, j, l.withoutPolicy(r, j)
	}
	d.Decision = &j.Digest
	deadline, ok := j.Decision.DeadlineMS.Get()
	if !ok {
		return d, j, faultf(codeDecision, "the windows do not ask for a rollback").differs(string(gates.Rollback), string(j.Decision.Decision))
	}
	d.DeadlineMS, d.TriggerEndMS = &deadline, deadline-j.Policy.Policy.TRollbackMS
	return d, j, nil
}

func (l *State) done(e Event, d *RollbackDone) *Fault {
	b := l.rollbacks[d.Rollback]
	if b == nil {
		f := faultf(codeMismatch, "event %d is no rollback", d.Rollback)
		f.Earlier = true
		return f
	}
	if b.Done != nil {
		return about(b.Release, faultf(codeMismatch, "the rollback of event %d was done before, by event %d", d.Rollback, b.DoneK))
	}
	want := b.Finish(e)
	b.Done, b.DoneK = d, e.K
	if d.OK != want.OK || !same(d.Reason, want.Reason) || !same(d.TotalMS, want.TotalMS) {
		return about(b.Release, faultf(codeDecision, "not what the clocks of the two events say").
			differs(want.text(), d.text()))
	}
	return nil
}

// Finish returns what the end of a rollback at the time of e says of its clock.
// Monotonic time is comparable within one clock alone: a rollback that was
// decided under another has not been measured.
func (b *Rollback) Finish(e Event) RollbackDone {
	d := RollbackDone{Rollback: b.Event.K}
	clock := RollbackClock{TriggerEndMS: b.TriggerEndMS, DecidedMS: b.Event.TimeMS, DecidedMonoMS: b.Event.MonoMS, EffectiveMonoMS: e.MonoMS}
	if b.DeadlineMS != nil {
		clock.TRollbackMS = *b.DeadlineMS - b.TriggerEndMS
	}
	if b.Judgement != nil && b.Judgement.Policy != nil {
		clock.SkewMaxMS = b.Judgement.Policy.Policy.SkewMaxMS
	}
	if e.Clock != b.Event.Clock {
		clock.EffectiveMonoMS = -1 // no clock shows that, so the timing is E_TIMEBASE_SKEW
	}
	t := clock.Judge()
	d.OK = t.OK || b.DeadlineMS == nil && t.Reason == "E_ROLLBACK_DEADLINE" // where there is no deadline, none is missed
	if total, ok := t.TotalMS.Get(); ok {
		d.TotalMS = &total
	}
	if !d.OK {
		d.Reason = &t.Reason
	}
	return d
}

func (d RollbackDone) text() string {
	s := "ok"
	if d.Reason != nil {
		s = *d.Reason
	} else if !d.OK {
		s = "not ok"
	}
	return s + " after " + optional(d.TotalMS) + " ms"
}

func same[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func optional[T any](p *T) string {
	if p == nil {
		return "null"
	}
	return fmt.Sprint(*p)
}
