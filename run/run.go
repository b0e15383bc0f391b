// Package run executes a pipeline and records what happened.
//
// Steps run one after the other, in dependency order, ties by position in the
// card: nobody has to trust that two steps did not disturb each other, and the
// same pipeline always gives the same order of events:
//
//	run.start                      code = SHA-256 of the producer's version
//	step.start                     inputs, each by digest; code = the step's digest
//	step.end                       status, outputs, exit code, digest of the log, times
//	…
//	run.abort                      if somebody stopped the run
//	run.end                        status; outputs = the artifacts
//	trail.close
//
// # A step
//
// Its outputs are removed before it starts, so that what is there afterwards is
// of this run. Its inputs are hashed before and after: one that changed in
// between, or since an earlier step read or made it, fails the step. Inputs and
// outputs are files below the project's directory. An input may be a symbolic
// link that does not leave it, an output is no link.
//
// The command gets PATH, HOME, TMPDIR, LANG=C.UTF-8, the variables that the
// pipeline lists and the step's own, and nothing else; no standard input;
// standard output and error go to a log that only its owner can read. It runs in
// a process group of its own. A timeout or the end of the context sends the
// group SIGTERM and, after a grace period, SIGKILL; what a step leaves running
// is killed when it ends.
//
// [Wrap] records one command that somebody else controls: of the above, its
// inputs and outputs are held to the same rules, and nothing else is.
//
// # What a record does not say
//
// The outputs of a step are recorded if its command exited with 0, even where
// the step fails for another reason; those of a command that failed may be
// halves and are not. A run that failed or was aborted has no artifacts: what
// its steps made stands in their step.end.
//
// BUG(run): A process that leaves its group (setsid) outlives the step, and on
// systems without process groups killing a step relies on taskkill.
package run

import (
	"context"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/sign"
)

// A Recorder makes a signed event of a draft; [audit.Log] is one.
type Recorder interface {
	Append(audit.Draft) (audit.Record, error)
}

// A Job is a pipeline and where it runs.
type Job struct {
	Dir       string // of the project; inputs, outputs and commands are relative to it
	Pipeline  cards.Pipeline
	Actor     string      // who or what runs it, in every event
	Producer  string      // name and version of the program that records
	Details   canon.Value // of run.start
	Artifacts []string    // exact paths below Dir; empty: the outputs of all steps
	LogDir    string      // gets <step>.log for each step; made if need be

	LookupEnv func(string) (string, bool) // nil: os.LookupEnv
	Progress  func(Event)                 // called as steps start and end; may be nil
	Grace     time.Duration               // between SIGTERM and SIGKILL; 0: 5 s
}

// An Event tells a caller that a step starts (Status is "") or has ended.
type Event struct {
	Step         string
	Index, Total int // of the step, counted from 1, and of all steps
	Status       string
	Error        string
	Duration     time.Duration // that the step took
}

// A Result says how a run ended.
type Result struct {
	Outcome   string       // audit.StatusOK, StatusFailed or StatusAborted
	Failure   string       // why, in one line; "" if the outcome is ok
	Medium    error        // why, if a file that is there could not be read; else nil
	Artifacts []Artifact   // sorted by URI; none unless the outcome is ok
	Steps     []StepResult // those that were started
}

// An Artifact is one file by its path below Dir, with slashes, and its content.
type Artifact struct {
	URI  string
	Hash sign.Digest
	Size int64 // bytes
}

// A StepResult says how a step ended.
type StepResult struct {
	ID       string
	Status   string
	Error    string // "" if the status is ok
	ExitCode int    // -1 if the command did not start or was killed
	Duration time.Duration
	Log      string // path of its log; "" if the command did not start
}

// Execute runs j and records it in rec, up to and including trail.close. A step
// that fails ends the run and is a Result, not an error; so is the end of ctx.
// An error says that the run could not begin (then nothing is recorded) or that
// recording failed (then nothing goes on, and the trail stays open).
func Execute(ctx context.Context, j Job, rec Recorder) (Result, error) {
	r, err := newRunner(j, rec)
	if err != nil {
		return Result{}, err
	}
	defer r.root.Close()
	return r.run(ctx)
}

// run records the run from run.start to trail.close.
func (r *runner) run(ctx context.Context) (Result, error) {
	if err := r.append(audit.Draft{Action: audit.ActionRunStart, Details: r.Details}); err != nil {
		return Result{}, err
	}
	if err := r.steps(ctx); err != nil {
		return Result{}, err
	}
	if err := r.end(ctx); err != nil {
		return Result{}, err
	}
	return r.result, nil
}
