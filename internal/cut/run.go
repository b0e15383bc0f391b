package cut

import (
	"context"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/clock"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/rundir"
	"github.com/relseal/relseal/run"
)

// run starts the trail and executes the pipeline.
func (c *cut) run(ctx context.Context) error {
	plan, err := c.begin()
	begun := false
	if err == nil {
		begun, err = rundir.Record(plan, c.key, func(log *audit.Log) error { return c.execute(ctx, log) })
	}
	if !begun {
		c.undo()
	}
	return err
}

// begin makes a new key, and plans the run.
func (c *cut) begin() (rundir.Plan, error) {
	if c.NewKey {
		if err := c.writeKey(); err != nil {
			return rundir.Plan{}, err
		}
	}
	id, err := rundir.NewID()
	if err != nil {
		return rundir.Plan{}, err
	}
	c.result.Product, c.result.Version = c.p.Product, c.p.Version
	c.result.Run, c.result.RunDir = id, filepath.Join(c.p.file(".relseal"), "runs", id)
	c.result.Key, c.result.KeyFile = c.key.Public().KeyID(), c.keyFile()
	c.result.PublicFile = publicFile(c.keyFile(), c.key.Public())
	return rundir.Plan{
		Dir: c.result.RunDir, ID: id, Product: c.p.Product, Root: c.root,
		EnvLock: c.lock, Pipeline: c.p.PipelineCard, Params: c.p.ParamCard, Clock: clock.System(),
	}, nil
}

// undo removes the key that was made for a run that did not begin.
func (c *cut) undo() {
	for _, name := range c.made {
		os.Remove(name)
	}
}

func (c *cut) execute(ctx context.Context, log *audit.Log) error {
	start := rundir.Start{Version: c.p.Version}
	if dirty := c.source.Dirty(); c.source.Commit != "" {
		start.Source = &rundir.Source{Commit: c.source.Commit, Dirty: &dirty}
	}
	details, err := start.Details()
	if err != nil {
		return err
	}
	c.phase("running the pipeline")
	res, err := run.Execute(ctx, run.Job{
		Dir: c.Dir, Pipeline: c.p.PipelineCard, Actor: rundir.Account(), Producer: c.Producer,
		Details: details, Artifacts: c.p.Artifacts, LogDir: rundir.Logs(c.result.RunDir), Progress: c.Step,
	}, log)
	if err != nil {
		return err
	}
	c.result.Outcome, c.result.Failure, c.result.Medium = res.Outcome, res.Failure, res.Medium
	if n := len(res.Steps); n > 0 && res.Steps[n-1].Status != audit.StatusOK {
		c.result.Log = res.Steps[n-1].Log
	}
	for _, a := range res.Artifacts {
		if a.Size > limits.Embed {
			c.result.Apart = c.Dir
		}
	}
	return nil
}
