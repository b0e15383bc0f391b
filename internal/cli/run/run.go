// Package run is the command run: pipelines and commands executed on record.
package run

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/envlock/capture"
	"github.com/relseal/relseal/internal/ciinfo"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/rundir"
	"github.com/relseal/relseal/run"
	"github.com/relseal/relseal/sign"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "run",
		Usage: "record what is executed, step by step, and show a record",
		Description: `A run is recorded in a directory of its own: environment, cards, the signed chain of
events, and the log of each step. relseal bundle audit seals it.

Example:
  relseal run wrap --key release.key --out run --product greetd --output greetd -- go build .
  relseal run show run`,
		Subcommands: []*cli.Command{
			execCommand(env),
			showCommand(env),
			wrapCommand(env),
		},
	}
}

// A recording is a run that a command is about to record.
type recording struct {
	dir      string // of the run
	project  string // where it takes place
	product  string
	actor    string // "": the one of the CI job, else this process's account
	wrapped  bool
	pipeline cards.Pipeline
	params   cards.Params
	key      sign.Signer
	root     *audit.RootRef
}

// record captures the environment, makes the run directory and lets do execute the
// job. begun says whether anything was recorded.
func (r recording) record(c *cli.Context, do func(run.Job, *audit.Log) error) (begun bool, err error) {
	capturing := run.Environment(r.pipeline)
	capturing.Dir, capturing.AllowSecrets = r.project, c.StringSlice("allow-secret")
	if r.wrapped { // there is no card whose step could be named
		capturing.Args, capturing.Steps = r.pipeline.Steps[0].Run, nil
	}
	lock, err := capture.Capture(c.Context, capturing)
	if err != nil {
		return false, err
	}
	if err := c.Context.Err(); err != nil {
		return false, err
	}
	id, err := rundir.NewID()
	if err != nil {
		return false, err
	}
	job := ciinfo.Detect(os.LookupEnv)
	start := rundir.OfCI(job)
	start.Wrapped = r.wrapped
	details, err := start.Details()
	if err != nil {
		return false, err
	}
	plan := rundir.Plan{Dir: r.dir, ID: id, Product: r.product, Root: r.root, EnvLock: lock, Pipeline: r.pipeline, Params: r.params, Clock: clock.System()}
	return rundir.Record(plan, r.key, func(log *audit.Log) error {
		return do(run.Job{
			Dir: r.project, Pipeline: r.pipeline, Actor: actorOf(r.actor, job), Producer: ui.Producer,
			Details: details, LogDir: rundir.Logs(r.dir),
		}, log)
	})
}

// actorOf returns who runs: whom the caller names, whom the CI job runs for, or
// the account.
func actorOf(given string, job *ciinfo.Info) string {
	if given == "" && job != nil && job.Actor != nil {
		return *job.Actor
	}
	return cmp.Or(given, rundir.Account())
}

// newRunDir returns the directory of --out, which must not exist.
func newRunDir(env *ui.Env, c *cli.Context) (string, error) {
	dir := c.String("out")
	if dir == "" {
		return "", ui.UsageHint(c.Command.HelpName+": --out is missing", "--out DIR, a directory that does not exist yet")
	}
	aside, err := rundir.Vacate(dir)
	if errors.Is(err, fs.ErrExist) {
		err = hint.With(err, "records are never overwritten: name a directory that does not exist yet")
	}
	if aside != "" {
		env.Say("hint", fmt.Sprintf("a run that was broken off has left its record in %s; it is in %s now, and relseal bundle audit --open seals it", escape.Line(dir), escape.Line(aside)))
	}
	return dir, err
}
