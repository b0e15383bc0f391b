package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// details is what step.end says beyond the fields that every event has.
type details struct {
	ExitCode *int  `json:"exit_code"` // null if the command was killed
	Log      *blob `json:"log"`

	SameAs string `json:"same_as,omitzero"`
	Same   *bool  `json:"same,omitzero"`
}

type blob struct {
	Hash sign.Digest `json:"hash"`
	Size int64       `json:"size"` // bytes
}

// checkStep refuses what cannot be executed safely, wherever the card came from.
func checkStep(s cards.Step) error {
	if s.ID == "" || s.ID[0] == '.' || strings.ContainsAny(s.ID, `/\:`) || !canon.Printable(s.ID) {
		return fmt.Errorf("id %+q does not name a log file", s.ID)
	}
	if len(s.Run) == 0 || s.Run[0] == "" {
		return errors.New("no command")
	}
	for _, name := range s.AllOutputs() {
		if err := checkName(name); err != nil {
			return fmt.Errorf("output %w", err)
		}
		if slices.Contains(s.Inputs, name) {
			return fmt.Errorf("%s is an input and an output", name)
		}
	}
	return nil
}

func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || !canon.Printable(name) {
		return fmt.Errorf("%+q is not a path below the project", name)
	}
	return nil
}

// step runs s between its two events. It returns the fault that ends the run,
// and an error if recording failed.
func (r *runner) step(ctx context.Context, s cards.Step) (res StepResult, fault, err error) {
	began := time.Now()
	res = StepResult{ID: s.ID, Status: audit.StatusOK, ExitCode: -1}
	d := audit.Draft{Action: audit.ActionStepStart, Path: audit.Txt(s.ID)}
	if d.Code, err = s.Hash(); err != nil {
		return res, nil, err
	}
	inputs, fault := r.ready(ctx, s)
	d.Inputs = items(inputs)
	if err := r.append(d); err != nil {
		return res, nil, err
	}

	d.Action = audit.ActionStepEnd
	if fault == nil {
		fault = r.perform(ctx, s, inputs, &d, &res)
	}
	if fault != nil {
		res.Status, res.Error = audit.StatusFailed, r.text(fault)
		if errors.Is(fault, errAborted) {
			res.Status = audit.StatusAborted
		}
		d.Error = audit.Txt(res.Error)
	}
	d.Status = res.Status
	res.Duration = time.Since(began)
	return res, fault, r.append(d)
}

// ready clears the way for s and returns its inputs.
func (r *runner) ready(ctx context.Context, s cards.Step) ([]Artifact, error) {
	if err := r.removeOutputs(s); err != nil {
		return nil, err
	}
	names, err := expand(r.root, s.Inputs)
	if err != nil {
		return nil, err
	}
	if err := fits(append(names, s.AllOutputs()...)...); err != nil {
		return nil, err
	}
	inputs, err := hashFiles(ctx, r.root, "input", names)
	if err != nil {
		return nil, err
	}
	for _, in := range inputs {
		was, ok := r.known[in.URI]
		if ok && was.hash != in.Hash {
			return inputs, fmt.Errorf("E_DATA_MISMATCH: input %s changed after %s", in.URI, was.text)
		}
		if !ok {
			r.known[in.URI] = origin{in.Hash, "step " + s.ID + " read it"}
		}
	}
	return inputs, r.makeParents(s)
}

// perform runs the command of s and judges what it left.
func (r *runner) perform(ctx context.Context, s cards.Step, inputs []Artifact, d *audit.Draft, res *StepResult) error {
	done, fault := r.start(ctx, s)
	if done == nil {
		return fault
	}
	res.Log = done.log
	if done.exit >= 0 {
		res.ExitCode = done.exit
		done.details.ExitCode = &done.exit
	}
	d.Snapshot = done.usage.snapshot()
	r.total.add(done.usage)
	if fault == nil {
		fault = r.judge(ctx, s, inputs, d, &done.details)
	}
	var err error
	if d.Details, err = canon.Marshal(done.details); err != nil {
		return err
	}
	return fault
}

// judge looks at the files after a command that exited with 0.
func (r *runner) judge(ctx context.Context, s cards.Step, inputs []Artifact, d *audit.Draft, more *details) error {
	made, fault := hashFiles(ctx, r.root, "output", s.AllOutputs())
	d.Outputs = items(made)
	if fault != nil {
		return fault
	}
	for _, out := range made {
		r.known[out.URI] = origin{out.Hash, "step " + s.ID + " made it"}
	}
	r.made[s.ID] = made
	if err := r.unchanged(ctx, inputs); err != nil {
		return err
	}
	if s.SameAs == "" {
		return nil
	}
	fault = compare(made, r.made[s.SameAs])
	same := fault == nil
	more.SameAs, more.Same = s.SameAs, &same
	return fault
}

// unchanged reports the first input that is not what it was before the step.
func (r *runner) unchanged(ctx context.Context, inputs []Artifact) error {
	for _, in := range inputs {
		now, err := hashFile(ctx, r.root, regular.OpenIn, in.URI)
		if errors.Is(err, errAborted) {
			return err
		}
		if fault := unread("input "+in.URI, err); fault != nil {
			return fault
		}
		if err != nil || now.Hash != in.Hash {
			return fmt.Errorf("E_DATA_MISMATCH: input %s changed while the step ran", in.URI)
		}
	}
	return nil
}
