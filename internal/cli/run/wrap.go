package run

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/rundir"
	"github.com/relseal/relseal/run"
	"github.com/relseal/relseal/sign"
)

func wrapCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "wrap",
		Usage:     "record one command as a run, where it is called",
		ArgsUsage: "-- CMD [ARG...]",
		Description: `Runs CMD as if relseal were not there: with this standard input, output and error, all
variables, in this directory. The exit code is that of CMD (126: cannot be executed,
127: not found, 128+N: killed by signal N). If CMD ended with 0 and an output is missing
or an input changed, it is 2; after an interrupt 130; where recording failed, 74.

The environment of CMD is not controlled, and only the variables of --env are recorded,
with the arguments as they are: keep secrets out of both. What looks like a credential is
refused before CMD starts. In GitHub Actions, GitLab CI and Buildkite the job's commit,
actor and address are recorded, too.

CMD gets neither the variable of --passphrase-env nor the descriptor of --passphrase-fd,
which is closed before CMD starts. With --passphrase-fd 0 it reads what follows the
passphrase on standard input.

Example:
  relseal run wrap --key ci.key --out run --product greetd --input go.mod --output greetd --tool go -- go build .`,
		Flags: append(ui.KeyFlags("sign the record with the private key in `F`"),
			&cli.StringFlag{Name: "out", Usage: "record the run in the new directory `DIR`"},
			&cli.StringFlag{Name: "product", Usage: "the run is of product `P`"},
			ui.RootRefFlag(),
			&cli.StringFlag{Name: "actor", Usage: "`A` runs it; that of the CI job or the account if not given"},
			&cli.StringSliceFlag{Name: "env", Usage: "record the variable `NAME`; may be repeated"},
			&cli.StringSliceFlag{Name: "input", Usage: "CMD reads the file or pattern `F`, below this directory; may be repeated"},
			&cli.StringSliceFlag{Name: "output", Usage: "CMD makes the file `F`, below this directory; may be repeated"},
			&cli.StringSliceFlag{Name: "tool", Usage: "record the version and digest of the program `T`; may be repeated"},
			&cli.StringSliceFlag{Name: "allow-secret", Usage: "record the variable `NAME`, or the argument of this number (CMD is 0), though it looks like a credential; may be repeated"},
			&cli.BoolFlag{Name: "force", Usage: "remove outputs that exist before CMD starts"},
			&cli.BoolFlag{Name: "json", Usage: "print the record as JSON, to standard error: standard output is that of CMD"},
		),
		Action: func(c *cli.Context) error { return wrap(env, c) },
	}
}

func wrap(env *ui.Env, c *cli.Context) error {
	// What stands before -- was taken for flags of relseal, which those of CMD may look like.
	if c.NArg() == 0 || env.Quoted != c.NArg() {
		return ui.UsageHint("relseal run wrap: -- CMD is missing", "relseal run wrap --key release.key --out run -- make all")
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
	r := recording{dir: dir, project: ".", product: c.String("product"), actor: c.String("actor"), wrapped: true}
	if r.pipeline, err = wrapCard(c); err != nil {
		return err
	}
	r.params = cards.Params{Schema: cards.ParamSchema, Card: r.pipeline.Card}
	if err := checkWrapOutputs(c, r.pipeline.Steps[0]); err != nil {
		return err
	}
	if r.key, err = env.OpenKey(c, key); err != nil {
		return err
	}
	if r.root, err = ui.RootRef(c, r.key, sign.RoleAudit); err != nil {
		return err
	}
	terminal, stop := share(env, c)
	defer stop()
	var res run.Result
	var exit int
	begun, err := r.record(c, func(j run.Job, log *audit.Log) (err error) {
		res, exit, err = run.Wrap(c.Context, j, terminal, log)
		return err
	})
	if err != nil {
		if begun { // the command may have done all its work, but nobody can show it
			err = &ui.Error{Code: ui.ExitIO, Err: err}
		}
		return err
	}
	if c.Bool("json") {
		if err := wrapJSON(env, dir); err != nil {
			return err
		}
	}
	return wrapAnswer(dir, res, exit)
}

// wrapCard returns the PipelineCard that the command line stands for.
func wrapCard(c *cli.Context) (cards.Pipeline, error) {
	args := c.Args().Slice()
	for i, a := range args {
		if !utf8.ValidString(a) {
			return cards.Pipeline{}, ui.UsageHint(fmt.Sprintf("relseal run wrap: argument %d of the command is not UTF-8", i), "put it into a script, which can be recorded")
		}
	}
	card := cards.Pipeline{
		Schema: cards.PipelineSchema,
		Card:   cards.Identity{ID: "relseal-run-wrap", Author: "relseal run wrap"},
		Tools:  once(c.StringSlice("tool")),
		Locks:  []string{},
		Env:    once(c.StringSlice("env")),
		Steps: []cards.Step{{
			ID: "command", Needs: []string{}, Run: args,
			Inputs: once(slashed(c.StringSlice("input"))), Outputs: once(slashed(c.StringSlice("output"))),
		}},
	}
	if _, err := card.Marshal(); err != nil {
		return card, ui.UsageHint("relseal run wrap: "+err.Error(), "relseal run wrap --help")
	}
	return card, nil
}

// slashed writes paths as cards have them: ./a//b is a/b.
func slashed(names []string) (list []string) {
	for _, name := range names {
		list = append(list, path.Clean(filepath.ToSlash(name)))
	}
	return list
}

// once returns a list as cards have it: sorted, each once, never nil.
func once(list []string) []string {
	return append([]string{}, slices.Compact(slices.Sorted(slices.Values(list)))...)
}

// checkWrapOutputs refuses to remove what somebody may still want.
func checkWrapOutputs(c *cli.Context, s cards.Step) error {
	for _, name := range s.Outputs {
		if _, err := os.Lstat(filepath.FromSlash(name)); err == nil && !c.Bool("force") {
			return hint.With(fmt.Errorf("%s: %w", name, fs.ErrExist), "an output is removed before the command starts, to show that the command made it; --force agrees")
		}
	}
	return nil
}

// share returns what the command has of this process. A variable that holds the
// passphrase of the key is not among it.
func share(env *ui.Env, c *cli.Context) (t run.Terminal, stop func()) {
	secret := c.String("passphrase-env")
	signals := make(chan os.Signal, 8)
	if caught := slices.DeleteFunc(slices.Clone(ui.Interrupts), signal.Ignored); len(caught) > 0 {
		signal.Notify(signals, caught...)
	}
	out := env.Stdout
	if checked, ok := out.(*ui.Stdout); ok {
		out = checked.To // the file itself: a command asks whether it is a terminal
		checked.Any = true
	}
	return run.Terminal{
		Stdin: env.Stdin, Stdout: out, Stderr: env.Stderr, Signals: signals,
		Environ: slices.DeleteFunc(os.Environ(), func(v string) bool {
			name, _, _ := strings.Cut(v, "=")
			return secret != "" && name == secret
		}),
	}, func() { signal.Stop(signals) }
}

// wrapJSON prints the record as JSON.
func wrapJSON(env *ui.Env, dir string) error {
	r, err := rundir.Read(dir)
	if err != nil {
		return err
	}
	data, err := canon.Marshal(result{"relseal/run/v1", dir, r})
	if err == nil {
		_, err = io.WriteString(env.Stderr, string(data)+"\n")
	}
	return err
}

// wrapAnswer carries the exit code of the command on. Only what the command cannot
// have said itself is said here.
func wrapAnswer(dir string, res run.Result, exit int) error {
	ran := len(res.Steps) > 0 && res.Steps[0].ExitCode >= 0
	why := strings.TrimPrefix(res.Failure, "step command: ")
	switch {
	case res.Outcome == audit.StatusOK:
		return nil
	case exit == 0 && res.Outcome == audit.StatusAborted:
		return &ui.Error{Code: ui.ExitInterrupted, Err: fmt.Errorf("interrupted; the record of the run is in %s", dir)}
	case exit == 0 && ran:
		return &ui.Error{Code: ui.FailedCode(res.Medium), Err: errors.New("the command ended with 0, and the run failed: " + why)}
	case exit == 0:
		return &ui.Error{Code: ui.FailedCode(res.Medium), Err: errors.New("the command was not started: " + why)}
	case !ran && exit < 128: // not killed
		return &ui.Error{Code: exit, Err: errors.New(why)}
	}
	return &ui.Answer{Code: exit}
}
