package rundir

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A Run is what the trail of a run says. No key was asked, so that nothing of it
// is verified: see the verify and audit packages for that.
type Run struct {
	ID      string      `json:"run"`
	Product *string     `json:"product"`
	Actor   *string     `json:"actor"`   // of run.start
	Outcome *string     `json:"outcome"` // ok, failed or aborted; nil: the run has not ended
	Error   *string     `json:"error"`   // why the outcome is not ok
	Started *audit.Time `json:"started"`
	Ended   *audit.Time `json:"ended"`
	Start               // what run.start said
	Usage               // of the whole run

	Steps     []Step       `json:"steps"`     // as they started
	Critical  *Path        `json:"critical"`  // nil: the card is not there to say what needs what
	Artifacts []audit.Item `json:"artifacts"` // by run.end

	Findings []finding.Finding `json:"findings"` // what is wrong with the record as such
}

// A Step is what the trail says of one step.
type Step struct {
	ID       string      `json:"id"`
	Status   *string     `json:"status"` // ok, failed or aborted; nil: it has not ended
	Error    *string     `json:"error"`
	ExitCode *int64      `json:"exit_code"` // nil: the command did not start, or was killed
	Started  *audit.Time `json:"started"`
	Ended    *audit.Time `json:"ended"`
	Inputs   int         `json:"inputs"`  // files
	Outputs  int         `json:"outputs"` // files
	Log      *Blob       `json:"log"`     // what it printed; nil: nothing was kept
	Usage
}

// A Blob is content by its digest.
type Blob struct {
	Hash sign.Digest `json:"hash"`
	Size int64       `json:"size"` // bytes
}

// Usage is what a step or a run took; nil is what the record does not say.
type Usage struct {
	Makespan *canon.Decimal `json:"makespan"` // seconds from start to end
	CPUUser  *canon.Decimal `json:"cpu_user"` // seconds
	CPUSys   *canon.Decimal `json:"cpu_sys"`  // seconds
	PeakMem  *canon.Decimal `json:"peak_mem"` // bytes
}

func usageOf(m map[string]canon.Decimal) Usage {
	get := func(name string) *canon.Decimal {
		if v, ok := m[name]; ok {
			return &v
		}
		return nil
	}
	return Usage{get("makespan"), get("cpu_user"), get("cpu_sys"), get("peak_mem")}
}

// Read returns what the run directory dir, or an unpacked AuditBundle, says of
// its run. The run may still be under way.
func Read(dir string) (Run, error) {
	name := File(dir, bundle.TrailPath)
	f, err := regular.Open(name)
	if err != nil {
		return Run{}, err
	}
	defer f.Close()
	r := reader{run: Run{Steps: []Step{}, Artifacts: []audit.Item{}, Findings: []finding.Finding{}}, index: map[string]int{}}
	s, err := audit.Check(f, audit.CheckOptions{Path: bundle.TrailPath, Bare: true, Report: r.report, Event: r.event})
	switch {
	case err != nil:
		return Run{}, err
	case s.Genesis == nil:
		return Run{}, fmt.Errorf("%s: not the trail of a run", name)
	case s.Genesis.Purpose != audit.PurposeRun:
		return Run{}, fmt.Errorf("%s: the trail of a %s, not of a run", name, s.Genesis.Purpose)
	}
	r.run.ID = s.Genesis.Run.ID
	if s.Genesis.Product != "" {
		r.run.Product = &s.Genesis.Product
	}
	card, err := readCard(dir, *s.Genesis.PipelineCard.Hash)
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return Run{}, path // nothing is known of the card
	}
	if err != nil {
		r.run.Findings = append(r.run.Findings, finding.New(finding.Card, bundle.PipelinePath, err.Error()))
	} else {
		r.run.Critical = critical(card, r.run.Steps)
	}
	return r.run, nil
}

// readCard returns the PipelineCard of dir, which must be the one of the run.
func readCard(dir string, want sign.Digest) (cards.Pipeline, error) {
	data, err := regular.ReadFile(File(dir, bundle.PipelinePath), limits.Card)
	if errors.Is(err, fs.ErrNotExist) {
		return cards.Pipeline{}, errors.New("the card is missing")
	}
	if err != nil {
		return cards.Pipeline{}, err
	}
	if sign.Sum(data) != want {
		return cards.Pipeline{}, errors.New("not the card of this run")
	}
	return cards.ReadPipeline(data)
}

// A reader takes in the events of a run, in their order.
type reader struct {
	run   Run
	index map[string]int // of a step, by id
}

func (r *reader) report(f finding.Finding) {
	// Nobody was asked whose key is trusted, and a run may still be under way.
	if f.Code != finding.KeyUnknown && f.Code != finding.TrailOpen {
		r.run.Findings = append(r.run.Findings, f)
	}
}

func (r *reader) event(rec audit.Record) {
	e := rec.E
	switch e.Action {
	case audit.ActionRunStart:
		actor := e.Actor.String()
		r.run.Actor, r.run.Started = &actor, &e.TS
		if len(e.Details) > 0 {
			var s Start
			if canon.Peek(e.Details, &s) == nil { // details are free: another producer's may mean something else
				r.run.Start = s
			}
		}
	case audit.ActionStepStart:
		r.index[e.Path.String()] = len(r.run.Steps)
		r.run.Steps = append(r.run.Steps, Step{ID: e.Path.String(), Started: &e.TS, Inputs: len(e.Inputs.Items)})
	case audit.ActionStepEnd:
		if i, ok := r.index[e.Path.String()]; ok {
			r.run.Steps[i].end(e)
		}
	case audit.ActionRunEnd:
		r.run.Outcome, r.run.Ended, r.run.Usage = &e.Status, &e.TS, usageOf(e.TimeSeries.Snapshot)
		r.run.Error = orNull(e.Error)
		r.run.Artifacts = append(r.run.Artifacts, e.Outputs.Items...)
	}
}

func (s *Step) end(e audit.Event) {
	if e.Status != "" {
		s.Status = &e.Status
	}
	s.Ended, s.Error, s.Usage = &e.TS, orNull(e.Error), usageOf(e.TimeSeries.Snapshot)
	s.Inputs, s.Outputs = len(e.Inputs.Items), len(e.Outputs.Items)
	var details struct {
		ExitCode *int64 `json:"exit_code"`
		Log      *Blob  `json:"log"`
	}
	if len(e.Details) > 0 && canon.Peek(e.Details, &details) == nil {
		s.ExitCode, s.Log = details.ExitCode, details.Log
	}
}

func orNull(t audit.Text) *string {
	if t.IsZero() {
		return nil
	}
	s := t.String()
	return &s
}
