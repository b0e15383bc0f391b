package bundle

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/pack"
	"github.com/relseal/relseal/internal/rundir"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/wrap"
	"github.com/relseal/relseal/verify"
)

func auditCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "audit",
		Usage:     "seal the record of a run",
		ArgsUsage: "[RUNDIR]",
		Description: `RUNDIR is what run exec, run wrap or cut left behind; --trail, --envlock, --pipeline
and --params name its parts one by one instead. The key is the one that recorded the
run. Artifacts must be what the run recorded: up to 64 MiB they are copied into the
bundle. What was written is verified.

The trail of a run that crashed is open. With --open it is bundled all the same, after
what the crash left of a last event was set aside; such a bundle is UNDECIDABLE, exit 1.

Example:
  relseal bundle audit run --key release.key --out greetd.audit.tar.zst
  relseal bundle audit run --key release.key --out crashed.audit.tar.zst --open`,
		Flags: append(ui.KeyFlags("seal with the private key in `F`, which recorded the run"),
			&cli.StringFlag{Name: "out", Usage: "write the bundle to `F`"},
			&cli.StringFlag{Name: "artifacts", Usage: "the directory `DIR` in which the run made its artifacts; the current one if not given"},
			&cli.StringFlag{Name: "product", Usage: "the run is of product `P`; needed where the run does not say so"},
			&cli.StringFlag{Name: "trail", Usage: "the record in `F`"},
			&cli.StringFlag{Name: "envlock", Usage: "its EnvLock in `F`"},
			&cli.StringFlag{Name: "pipeline", Usage: "its PipelineCard in `F`, canonical or YAML"},
			&cli.StringFlag{Name: "params", Usage: "its ParamCard in `F`, canonical or YAML"},
			&cli.BoolFlag{Name: "open", Usage: "bundle a record that is not closed"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file of --out"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return audit(env, c) },
	}
}

func audit(env *ui.Env, c *cli.Context) error {
	r, err := runParts(c)
	if err != nil {
		return err
	}
	out, err := ui.OutFile(c)
	if err != nil {
		return err
	}
	key, err := env.SigningKey(c)
	if err != nil {
		return err
	}
	if r.Open {
		if err := recoverTrail(env, c, cmp.Or(r.Files.Trail, rundir.File(r.Dir, bundle.TrailPath)), key); err != nil {
			return err
		}
	}
	sealed, err := pack.WriteAudit(c.Context, out, c.Bool("force"), r, wrap.New(key))
	if err != nil {
		return auditError(c, err)
	}
	result := newSealedResult(bundle.KindAudit, sealed, key.Public().KeyID())
	m := sealed.Audit
	result.Product, result.Run, result.Outcome = m.Product, &m.Run.ID, &m.Outcome
	title := fmt.Sprintf("%s, run %s: %s", escape.Line(m.Product), m.Run.ID, m.Outcome)
	if err := env.PrintDone(c, result, sealedText(title, result)); err != nil {
		return err
	}
	return openAnswer(sealed.Report)
}

// openAnswer says of the bundle of an open trail that it is one.
func openAnswer(r *verify.Report) error {
	err := ui.AnswerTo(r)
	var a *ui.Answer
	if errors.As(err, &a) {
		a.Hint = "the record is not closed: what happened after its last event is not known, and nobody can answer with yes"
	}
	return err
}

var partFlags = []string{"trail", "envlock", "pipeline", "params"}

// runParts reads where the parts of the run are.
func runParts(c *cli.Context) (pack.Run, error) {
	r := pack.Run{
		Artifacts: cmp.Or(c.String("artifacts"), "."),
		Product:   c.String("product"),
		Open:      c.Bool("open"),
		Files:     pack.Files{Trail: c.String("trail"), EnvLock: c.String("envlock"), Pipeline: c.String("pipeline"), Params: c.String("params")},
	}
	var given, missing []string
	for _, name := range partFlags {
		if c.IsSet(name) {
			given = append(given, "--"+name)
		} else {
			missing = append(missing, "--"+name)
		}
	}
	switch {
	case len(given) == 0:
		err := ui.ExactArgs(c, "RUNDIR")
		r.Dir = c.Args().First()
		return r, err
	case c.NArg() > 0:
		return r, ui.UsageHint(fmt.Sprintf("relseal bundle audit: %s and RUNDIR exclude each other", given[0]), "RUNDIR holds all four parts of a run")
	case len(missing) > 0:
		return r, ui.UsageHint(fmt.Sprintf("relseal bundle audit: %s without %s", given[0], strings.Join(missing, ", ")), "name all four parts of a run, or RUNDIR")
	}
	return r, nil
}

// recoverTrail clears up what a crash left of a last event.
func recoverTrail(env *ui.Env, c *cli.Context, file string, key sign.Signer) error {
	log, err := env.OpenLog(c, file, key, false)
	if err != nil {
		return err
	}
	for _, t := range log.Torn() {
		if t.Path != "" {
			env.Say("hint", fmt.Sprintf("event %d was not whole; what there is of it is in %s", t.K, t.Path))
		}
	}
	return log.Close()
}

// auditError adds the next step to what the packer refuses.
func auditError(c *cli.Context, err error) error {
	switch {
	case errors.Is(err, pack.ErrOpen):
		next := "--open bundles what there is; wait if the run is still under way"
		if dir := c.Args().First(); rundir.Abandoned(dir) {
			next = "what recorded it is gone: relseal trail close " + escape.Line(dir) + " --status aborted ends the record, or --open bundles it as it is"
		}
		return &ui.Error{Code: ui.ExitUndecidable, Err: err, Hint: next}
	case errors.Is(err, pack.ErrNoProduct):
		return ui.UsageHint("relseal bundle audit: --product is missing: "+err.Error(), "--product NAME")
	case errors.Is(err, fs.ErrExist):
		return ui.Exists(c.String("out"))
	case strings.HasPrefix(err.Error(), "artifact ") && errors.Is(err, fs.ErrNotExist) && !c.IsSet("artifacts"):
		return hint.With(err, "--artifacts DIR names the directory in which the run made it")
	}
	return err
}
