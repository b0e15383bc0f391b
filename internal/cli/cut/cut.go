// Package cut is the command cut: from relseal.yaml to verified bundles.
package cut

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/cut"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "cut",
		Usage:     "run a project's pipeline and seal a release",
		ArgsUsage: "DIR",
		Description: `Reads DIR/relseal.yaml, captures the environment, runs the pipeline, records every
step as a signed event, packs an AuditBundle and a ReleaseBundle on channel canary,
and verifies both. A step that fails ends the run: its AuditBundle is written, no
release is, and the exit code is 2.

Example:
  relseal cut --new-key examples/quickstart
  relseal cut --version 1.4.0 --out /srv/releases .`,
		Flags: append(append([]cli.Flag{
			&cli.BoolFlag{Name: "new-key", Usage: "make the key that relseal.yaml names; it must not exist"},
		}, ui.KeyFlags("seal with the private key in `F` instead")...),
			&cli.StringFlag{Name: "version", Usage: "release as `V` instead of the version in relseal.yaml"},
			&cli.StringFlag{Name: "out", Usage: "write the bundles to `DIR`"},
			ui.RootRefFlag(),
			ui.HeadFlag(),
			&cli.StringSliceFlag{Name: "trust", Usage: "trust the public key in `FILE`, or every *.pub of a directory, for the ledger; may be repeated"},
			ui.AllowSecretFlag("record"),
			&cli.BoolFlag{Name: "force", Usage: "overwrite bundles of the same version"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error { return runCut(env, c) },
	}
}

func runCut(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "DIR"); err != nil {
		return err
	}
	if c.Bool("new-key") && c.IsSet("key") {
		return ui.UsageHint("relseal cut: --new-key and --key exclude each other",
			"--new-key makes the key that relseal.yaml names; --key seals with another")
	}
	if v := c.String("version"); c.IsSet("version") && v != cut.VersionFromTag {
		if err := bundle.CheckVersion(v); err != nil {
			tip := "1.0.0"
			if bare := strings.TrimPrefix(v, "v"); bundle.CheckVersion(bare) == nil {
				tip = bare
			}
			return ui.UsageHint(fmt.Sprintf("relseal cut: --version %q: %v", v, err), "--version "+tip)
		}
	}
	if err := ui.CheckPassphrase(c); err != nil {
		return err
	}
	project, _ := cut.Load(c.Args().First()) // Cut says what is wrong with it
	key, stop, err := env.Apart(c, project.PassphraseVariable())
	if err != nil {
		return err
	}
	defer stop()
	root, err := ui.NamedRoot(c)
	if err != nil {
		return err
	}
	r := cut.Request{
		Dir:          c.Args().First(),
		NewKey:       c.Bool("new-key"),
		KeyFile:      c.String("key"),
		Version:      c.String("version"),
		Out:          c.String("out"),
		AllowSecrets: c.StringSlice("allow-secret"),
		Force:        c.Bool("force"),
		Producer:     ui.Producer,
		Keys:         key,
		Root:         root,
		Elsewhere:    ui.PassphraseElsewhere,
		Head: func(product string, key sign.PublicKey) (*bundle.LedgerRef, error) {
			known, err := ui.TrustedFor(c, key)
			if err != nil {
				return nil, err
			}
			return ui.LedgerHead(c, product, root, known)
		},
		Phase: func(name string) { env.Note("%s", name) },
		Hint:  func(text string) { env.Say("hint", text) },
		Step:  env.NoteStep,
	}
	if ui.PassphraseGiven(c) {
		r.Passphrase = ui.From(c, r.Passphrase)
	}
	res, err := cut.Cut(c.Context, r)
	if errors.Is(err, cut.ErrKeyExists) {
		return hint.With(err, withoutNewKey(c)+" uses it")
	}
	if err != nil {
		return ui.GrantError(err)
	}
	if err := env.PrintDone(c, newCutResult(res), cutText(res)); err != nil {
		return err
	}
	if res.Stays != "" {
		env.Say("hint", fmt.Sprintf("%s is of an earlier cut, and stays as it was", res.Stays))
	}
	switch res.Outcome {
	case audit.StatusOK:
		return nil
	case audit.StatusAborted:
		return &ui.Error{Code: ui.ExitInterrupted, Err: fmt.Errorf("interrupted; the record of the run is %s", res.Audit.File)}
	}
	next := ""
	if res.Log != "" {
		next = "what the step printed is in " + res.Log
	}
	return &ui.Error{Code: ui.FailedCode(res.Medium), Err: fmt.Errorf("the run failed: %s", res.Failure), Hint: next}
}

// withoutNewKey returns the command as it was given, without --new-key.
func withoutNewKey(c *cli.Context) string {
	words := []string{c.Command.HelpName}
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		_, isBool := f.(*cli.BoolFlag)
		switch {
		case !c.IsSet(name) || name == "new-key":
		case isBool:
			words = append(words, "--"+name)
		case name == "allow-secret", name == "trust":
			for _, v := range c.StringSlice(name) {
				words = append(words, "--"+name, hint.Quote(v))
			}
		default:
			words = append(words, "--"+name, hint.Quote(c.String(name)))
		}
	}
	return strings.Join(append(words, hint.Quote(c.Args().First())), " ")
}

type result struct {
	Schema  string     `json:"schema"`
	Product string     `json:"product"`
	Version string     `json:"version"`
	Run     string     `json:"run"`
	Outcome string     `json:"outcome"`
	Failure *string    `json:"failure"` // null if the outcome is ok
	Key     cutKey     `json:"key"`
	Audit   cutBundle  `json:"audit"`
	Release *cutBundle `json:"release"`
}

type cutKey struct {
	ID   sign.KeyID `json:"id"`
	File *string    `json:"file"` // of the public key; null if there is none beside the private one
}

type cutBundle struct {
	File    string         `json:"file"`
	ID      sign.Digest    `json:"id"`
	Verdict verify.Verdict `json:"verdict"`
}

func newCutResult(r cut.Result) result {
	out := result{
		Schema: "relseal/cut/v1", Product: r.Product, Version: r.Version, Run: r.Run, Outcome: r.Outcome, Failure: ui.OrNull(r.Failure),
		Key: cutKey{r.Key, ui.OrNull(r.PublicFile)}, Audit: cutBundle{r.Audit.File, r.Audit.ID, r.Audit.Report.Verdict},
	}
	if r.Release != nil {
		out.Release = &cutBundle{r.Release.File, r.Release.ID, r.Release.Report.Verdict}
	}
	return out
}

func cutText(r cut.Result) string {
	var w strings.Builder
	fmt.Fprintf(&w, "%s %s, run %s: %s\n", r.Product, r.Version, r.Run, r.Outcome)
	line := func(name, file, about string) { fmt.Fprintf(&w, "  %-8s %s\n           %s\n", name, file, about) }
	line("audit", r.Audit.File, fmt.Sprintf("%s %s", r.Audit.Report.Verdict, r.Audit.ID))
	last := r.Audit
	if r.Release != nil {
		last = r.Release
		line("release", r.Release.File, fmt.Sprintf("%s %s", r.Release.Report.Verdict, r.Release.ID))
	}
	line("key", cmp.Or(r.PublicFile, "not beside the private key; relseal key show "+hint.Quote(r.KeyFile)+" prints it"), r.Key.String())
	fmt.Fprintf(&w, "Anybody who has that key verifies it with:\n  relseal verify-bundle %s --key %s", hint.Quote(last.File), hint.Quote(cmp.Or(r.PublicFile, "release.pub")))
	if r.Apart != "" { // an artifact is too large to be in the bundle
		fmt.Fprintf(&w, " --artifacts %s", hint.Quote(r.Apart))
	}
	w.WriteString("\n")
	return w.String()
}
