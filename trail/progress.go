package trail

import (
	"context"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// progress is how far a run has come.
type progress struct {
	end     string // the status of run.end, "" if there is none
	aborted bool   // there is a run.abort
	steps   map[string]*step
	made    map[string]making // by uri
}

// A making is the last step.end that recorded a file, and its digest.
type making struct {
	step string
	hash sign.Digest
}

// A step is what the two events of a step of the card say.
type step struct {
	inputs  audit.Items
	status  string // "" until it ends
	outputs []audit.Item
}

func (s *step) output(uri string) audit.Item {
	for _, it := range s.outputs {
		if it.URI == uri {
			return it
		}
	}
	return audit.Item{}
}

// madeOtherwise returns the step that made a file of this name last, if it made
// other bytes; else "".
func (p progress) madeOtherwise(it audit.Item) (step string) {
	if was, ok := p.made[it.URI]; ok && was.hash != it.Hash {
		return was.step
	}
	return ""
}

// progress reads and checks the whole trail: the log that is open may have gone on from
// a state.
func (r *Run) progress(ctx context.Context) (progress, error) {
	p := progress{steps: map[string]*step{}, made: map[string]making{}}
	f, err := regular.Open(r.file)
	if err != nil {
		return p, err
	}
	defer f.Close()
	var fault *finding.Finding
	_, err = audit.Check(regular.UntilDone(ctx, f), audit.CheckOptions{
		Report: func(f finding.Finding) {
			if f.Verdict == finding.Reject && fault == nil {
				fault = &f
			}
		},
		Bare: true, Keys: sign.Only(r.key),
		EventActions: []string{audit.ActionRunEnd, audit.ActionRunAbort, audit.ActionStepStart, audit.ActionStepEnd},
		Event:        func(rec audit.Record) { p.add(r.card, &rec.E) },
	})
	if err == nil && fault != nil {
		err = &audit.DamagedError{Path: r.file, Finding: *fault}
	}
	return p, err
}

func (p *progress) add(card card, e *audit.Event) {
	id := e.Path.String()
	switch e.Action {
	case audit.ActionRunEnd:
		p.end = e.Status
	case audit.ActionRunAbort:
		p.aborted = true
	case audit.ActionStepStart:
		if card.has(id) {
			p.steps[id] = &step{inputs: e.Inputs}
		}
	case audit.ActionStepEnd:
		if s := p.steps[id]; s != nil {
			s.status, s.outputs = e.Status, e.Outputs.Items
		}
		for _, it := range e.Outputs.Items {
			p.made[it.URI] = making{id, it.Hash}
		}
	}
}

// outcome returns how the run ended, given what the user says or "".
func (p progress) outcome(card card, said string) (string, error) {
	if said != "" && said != audit.StatusOK {
		return said, nil
	}
	if why := p.notOK(card); why != "" {
		return "", &NotOKError{Why: why}
	}
	return audit.StatusOK, nil
}

// notOK returns why the run cannot have ended ok, "" if it can: what a verifier
// of its bundle would find.
func (p progress) notOK(card card) string {
	if p.aborted {
		return "it has a run.abort"
	}
	outputs := map[string][]string{}
	for _, s := range card.Steps {
		outputs[s.ID] = s.AllOutputs()
		if done := p.steps[s.ID]; done == nil || done.status != audit.StatusOK {
			return "step " + escape.Line(s.ID) + " has not"
		}
	}
	for _, s := range card.Steps {
		if s.SameAs == "" {
			continue
		}
		for i, first := range outputs[s.SameAs] {
			a, b := p.steps[s.SameAs].output(first), p.steps[s.ID].output(outputs[s.ID][i])
			if a.URI == "" || a.Hash != b.Hash {
				return "step " + escape.Line(s.ID) + " did not make what step " + escape.Line(s.SameAs) + " made (E_NONDETERMINISM)"
			}
		}
	}
	return ""
}
