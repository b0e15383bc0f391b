package run

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/cards/cardfile"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/rundir"
	"github.com/relseal/relseal/run"
	"github.com/relseal/relseal/sign"
)

func execCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "exec",
		Usage:     "run a pipeline and record it",
		ArgsUsage: "PIPELINE",
		Description: `Runs the steps of the PipelineCard in PIPELINE and records them in DIR, as cut does
with those of a project, but seals nothing. Exit 0: the run ended well. Exit 2: a step
failed, and the record says so. Exit 130: interrupted, and the record says so.

Example:
  relseal run exec cards/pipeline.yaml --params cards/params.yaml --key release.key --out run`,
		Flags: append(ui.KeyFlags("sign the record with the private key in `F`"),
			&cli.StringFlag{Name: "params", Usage: "run with the ParamCard in `F`"},
			&cli.StringFlag{Name: "out", Usage: "record the run in the new directory `DIR`"},
			&cli.StringFlag{Name: "dir", Usage: "the steps run in `PROJECT`, which paths are relative to; the current directory if not given"},
			&cli.StringFlag{Name: "actor", Usage: "`A` runs it; that of the CI job or the account if not given"},
			&cli.StringFlag{Name: "product", Usage: "the run is of product `P`"},
			ui.RootRefFlag(),
			ui.AllowSecretFlag("record"),
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return exec(env, c) },
	}
}

func exec(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "PIPELINE"); err != nil {
		return err
	}
	if c.String("params") == "" {
		return ui.UsageHint("relseal run exec: --params is missing", "relseal run exec PIPELINE --params cards/params.yaml --key release.key --out run")
	}
	dir, err := newRunDir(env, c)
	if err != nil {
		return err
	}
	key, stopSigner, err := env.Apart(c)
	if err != nil {
		return err
	}
	defer stopSigner()
	r := recording{dir: dir, project: cmp.Or(c.String("dir"), "."), product: c.String("product"), actor: c.String("actor")}
	if err := readCards(env, c, &r); err != nil {
		return err
	}
	if r.key, err = env.OpenKey(c, key); err != nil {
		return err
	}
	if r.root, err = ui.RootRef(c, r.key, sign.RoleAudit); err != nil {
		return err
	}
	var res run.Result
	env.Note("capturing the environment")
	_, err = r.record(c, func(j run.Job, log *audit.Log) (err error) {
		env.Note("running the pipeline")
		j.Progress = env.NoteStep
		res, err = run.Execute(c.Context, j, log)
		return err
	})
	if err != nil {
		return err
	}
	shown, err := showRun(env, c, dir, packCommand(c, r))
	if err != nil {
		return err
	}
	return execAnswer(dir, res, shown)
}

// execAnswer returns the error that carries the outcome to the exit code.
func execAnswer(dir string, res run.Result, shown rundir.Run) error {
	switch res.Outcome {
	case audit.StatusOK:
		return findingsAnswer(shown)
	case audit.StatusAborted:
		return &ui.Error{Code: ui.ExitInterrupted, Err: fmt.Errorf("interrupted; the record of the run is in %s", dir)}
	}
	next := ""
	if n := len(res.Steps); n > 0 && res.Steps[n-1].Status != audit.StatusOK && res.Steps[n-1].Log != "" {
		next = "what the step printed is in " + res.Steps[n-1].Log
	}
	return &ui.Error{Code: ui.FailedCode(res.Medium), Err: fmt.Errorf("the run failed: %s", res.Failure), Hint: next}
}

// readCards reads both cards, so that the error holds the faults of both.
func readCards(env *ui.Env, c *cli.Context, r *recording) error {
	name, data, err := env.ReadInput(c.Args().First(), limits.Document)
	if err == nil {
		r.pipeline, err = cardfile.Pipeline(name, data)
	}
	name, data, second := env.ReadInput(c.String("params"), limits.Document)
	if second == nil {
		r.params, second = cardfile.Params(name, data)
	}
	return errors.Join(err, second)
}

// packCommand returns the command that seals the record of a run; "" if the run
// names no product, since only its owner knows what to put there.
func packCommand(c *cli.Context, r recording) string {
	if r.product == "" {
		return ""
	}
	words := []string{"relseal bundle audit", hint.Quote(r.dir), "--key", hint.Quote(c.String("key"))}
	if r.project != "." {
		words = append(words, "--artifacts", hint.Quote(r.project))
	}
	return strings.Join(append(words, "--out", hint.Quote(r.product+".audit.tar.zst")), " ")
}
