package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A runner is one run under way.
type runner struct {
	Job
	order  []cards.Step
	root   *os.Root
	rec    Recorder
	code   sign.Digest // of the producer
	began  time.Time
	total  usage
	result Result
	start  starter
	known  map[string]origin     // every file that a step has read or made
	made   map[string][]Artifact // by step, in the order of its outputs
}

// A starter runs the command of a step and returns once it has ended. The error
// says why the step fails; finished is nil if nothing ran.
type starter func(context.Context, cards.Step) (*finished, error)

// An origin is what a file held when a step first read it, or made it.
type origin struct {
	hash sign.Digest
	text string // "step build read it"
}

// errAborted is what an error wraps where the context ended, not the step.
var errAborted = errors.New("stopped")

func aborted(ctx context.Context) error {
	return fmt.Errorf("%w: %w", errAborted, context.Cause(ctx))
}

func newRunner(j Job, rec Recorder) (*runner, error) {
	order, err := j.Pipeline.Order()
	if err != nil {
		return nil, err
	}
	for _, s := range order {
		if err := checkStep(s); err != nil {
			return nil, fmt.Errorf("step %s: %w", s.ID, err)
		}
	}
	if j.Artifacts, err = artifactNames(j.Artifacts, order); err != nil {
		return nil, err
	}
	if j.Dir, err = filepath.Abs(j.Dir); err != nil { // what commands and errors are held against
		return nil, err
	}
	if j.LogDir != "" { // a wrapped command has none
		if err := os.MkdirAll(j.LogDir, 0o700); err != nil {
			return nil, err
		}
	}
	root, err := regular.OpenRoot(j.Dir)
	if err != nil {
		return nil, err
	}
	if j.LookupEnv == nil {
		j.LookupEnv = os.LookupEnv
	}
	if j.Progress == nil {
		j.Progress = func(Event) {}
	}
	if j.Grace == 0 {
		j.Grace = 5 * time.Second
	}
	r := &runner{
		Job: j, order: order, root: root, rec: rec, began: time.Now(),
		code:   sign.Sum([]byte(j.Producer)),
		result: Result{Outcome: audit.StatusOK},
		known:  map[string]origin{}, made: map[string][]Artifact{},
	}
	r.start = r.command
	return r, nil
}

// artifactNames returns the wanted names, or all outputs, sorted and each once.
func artifactNames(wanted []string, steps []cards.Step) ([]string, error) {
	names := slices.Clone(wanted)
	if len(names) == 0 {
		for _, s := range steps {
			names = append(names, s.AllOutputs()...)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names {
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("artifact %w", err)
		}
	}
	return names, fits(names...)
}

// append records d, with what all events of the run have in common.
func (r *runner) append(d audit.Draft) error {
	d.Actor = audit.Txt(r.Actor)
	if d.Code.IsZero() {
		d.Code = r.code
	}
	if r.Pipeline.RNG != nil {
		d.Seed = &r.Pipeline.RNG.Seed
	}
	_, err := r.rec.Append(d)
	return err
}

// stop turns the run's outcome from ok into what err says; the first one stays.
func (r *runner) stop(where string, err error) {
	if r.result.Outcome != audit.StatusOK {
		return
	}
	r.result.Outcome, r.result.Failure = audit.StatusFailed, where+r.text(err)
	if medium, ok := errors.AsType[*mediumError](err); ok {
		r.result.Medium = medium
	}
	if errors.Is(err, errAborted) {
		r.result.Outcome = audit.StatusAborted
	}
}

// steps runs all steps, or those up to the first that does not end well.
func (r *runner) steps(ctx context.Context) error {
	// From here on the project looks as if it had never been built: a pattern of
	// an early step must not match what a late step left there the last time.
	for _, s := range r.order {
		r.removeOutputs(s) // its own step reports what cannot be removed
	}
	for i, s := range r.order {
		if ctx.Err() != nil {
			break
		}
		r.Progress(Event{Step: s.ID, Index: i + 1, Total: len(r.order)})
		res, fault, err := r.step(ctx, s)
		if err != nil {
			return err
		}
		r.result.Steps = append(r.result.Steps, res)
		r.Progress(Event{s.ID, i + 1, len(r.order), res.Status, res.Error, res.Duration})
		if fault != nil {
			r.stop("step "+s.ID+": ", fault)
			return nil
		}
	}
	return nil
}

// end hashes the artifacts of a run that went well so far and closes the trail.
func (r *runner) end(ctx context.Context) error {
	if r.result.Outcome == audit.StatusOK {
		artifacts, err := r.artifacts(ctx)
		if ctx.Err() != nil {
			err = aborted(ctx)
		}
		if err != nil {
			r.stop("", err)
		} else {
			r.result.Artifacts = artifacts
		}
	}
	if r.result.Outcome == audit.StatusAborted {
		if err := r.append(audit.Draft{Action: audit.ActionRunAbort, Notes: audit.Txt(r.result.Failure)}); err != nil {
			return err
		}
	}
	r.total.wall = time.Since(r.began)
	d := audit.Draft{
		Action: audit.ActionRunEnd, Status: r.result.Outcome,
		Outputs: items(r.result.Artifacts), Snapshot: r.total.snapshot(),
	}
	if r.result.Failure != "" {
		d.Error = audit.Txt(r.result.Failure)
	}
	if err := r.append(d); err != nil {
		return err
	}
	return r.append(audit.Draft{Action: audit.ActionTrailClose})
}
