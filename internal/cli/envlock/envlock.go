// Package envlock is the command envlock: environments captured and compared.
package envlock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/cards/cardfile"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/envlock/capture"
	"github.com/relseal/relseal/envlock/sbom"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/run"
	"github.com/relseal/relseal/sign"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "envlock",
		Usage: "capture an environment, check it later, compare two",
		Description: `An EnvLock records what a result depends on besides its inputs: system, kernel,
libc, compilers, drivers, hardware, threads, floating point, lock files, variables.
Its fingerprint is in every event of a run.

Example:
  relseal envlock capture --tool go --lock go.sum --out envlock.json
  relseal envlock check envlock.json`,
		Subcommands: []*cli.Command{
			{
				Name:      "capture",
				Usage:     "write the environment of this machine to a file",
				ArgsUsage: "[DIR]",
				Description: `DIR is the project: lock files are looked up in it and tools are asked their version
there. With --pipeline the tools, lock files and variables of a card are recorded,
as cut records them. A variable that looks like a credential is refused, unless
--allow-secret names it.

--packages pins every installed package. Any upgrade is then a difference; without
it the EnvLock is small and differs when something differs that was declared.

Example:
  relseal envlock capture --pipeline cards/pipeline.yaml --out envlock.json
  relseal envlock capture --tool cc --lock uv.lock --env CFLAGS --out e.json --sbom e.cdx.json`,
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "out", Usage: "write the EnvLock to `F`"},
					&cli.StringSliceFlag{Name: "tool", Usage: "record the version and digest of the program `T` that PATH finds; may be repeated"},
					&cli.StringSliceFlag{Name: "lock", Usage: "record the digest of the lock file `L`, relative to DIR; may be repeated"},
					&cli.StringSliceFlag{Name: "env", Usage: "record the variable `V`; may be repeated"},
					ui.AllowSecretFlag("record"),
					&cli.StringFlag{Name: "pipeline", Usage: "record what the PipelineCard in `CARD` lists"},
					&cli.BoolFlag{Name: "packages", Usage: "record every package of dpkg, rpm and apk, and the Go modules in tools"},
					&cli.StringFlag{Name: "sbom", Usage: "write the packages to `F` as CycloneDX 1.6"},
					&cli.BoolFlag{Name: "force", Usage: "overwrite the files of --out and --sbom"},
					ui.JSONFlag(),
				},
				Action: func(c *cli.Context) error { return envlockCapture(env, c) },
			},
			{
				Name:      "check",
				Usage:     "say whether this machine is still the one of an EnvLock",
				ArgsUsage: "F [DIR]",
				Description: `Captures the tools, lock files and variables that F names once more and compares.
Exit 0: the same. Exit 1: a fact could not be read. Exit 2: E_ENV_DRIFT, and which
facts differ. The tools that F names are run to ask their version: check an EnvLock
of yours, or look at it first.

Example:
  relseal envlock check envlock.json`,
				Flags:  []cli.Flag{ui.AllowSecretFlag("compare"), ui.JSONFlag()},
				Action: func(c *cli.Context) error { return check(env, c) },
			},
			{
				Name:        "diff",
				Usage:       "compare two EnvLocks",
				ArgsUsage:   "A B",
				Description: "Exit 0: the same. Exit 2: they differ, and in which facts.\n\nExample:\n  relseal envlock diff release/envlock.json envlock.json",
				Flags:       []cli.Flag{ui.JSONFlag()},
				Action:      func(c *cli.Context) error { return diff(env, c) },
			},
		},
	}
}

type captured struct {
	Schema      string           `json:"schema"`
	File        string           `json:"file"`
	Fingerprint sign.Digest      `json:"fingerprint"`
	Facts       int              `json:"facts"`
	Unread      []capture.Unread `json:"unread"`
	Unlisted    []string         `json:"unlisted"`
	SBOM        *string          `json:"sbom"`
}

func envlockCapture(env *ui.Env, c *cli.Context) error {
	r, err := captureRequest(env, c)
	if err != nil {
		return err
	}
	files := []string{c.String("out"), c.String("sbom")}
	if err := checkOutputs(files, c.Bool("force")); err != nil {
		return err
	}
	l, err := capture.Capture(c.Context, r)
	if err != nil {
		return err
	}
	data, err := l.Marshal()
	if err != nil {
		return err
	}
	result := captured{Schema: "relseal/envlock-capture/v1", File: files[0], Fingerprint: envlock.Fingerprint(data)}
	contents := [][]byte{data, nil}
	if files[1] != "" {
		packages, err := capture.Packages(c.Context, r)
		if err != nil {
			return err
		}
		if contents[1], err = sbom.Marshal(l, packages, "relseal", ui.Version); err != nil {
			return err
		}
		result.SBOM = &files[1]
	}
	if result.Unlisted, err = capture.UnlistedLocks(r.Dir, r.Locks); err != nil {
		return err
	}
	for component, facts := range l.Env.All() {
		result.Facts += len(facts)
		result.Unread = append(result.Unread, unreadFacts(component, facts)...)
	}
	for i, file := range files {
		if file == "" {
			continue
		}
		if err := durable.WriteFile(file, contents[i], 0o644, c.Bool("force")); err != nil {
			return outputError(file, err)
		}
	}
	return env.Print(c, result, captureText(result, l))
}

// captureRequest reads what is to be captured from flags and card.
func captureRequest(env *ui.Env, c *cli.Context) (capture.Request, error) {
	r := capture.Request{
		Tools: c.StringSlice("tool"), Locks: c.StringSlice("lock"), Env: c.StringSlice("env"), Packages: c.Bool("packages"),
		AllowSecrets: c.StringSlice("allow-secret"),
	}
	var err error
	if r.Dir, err = optionalDir(c, 0); err != nil {
		return r, err
	}
	if c.String("out") == "" {
		return r, ui.UsageHint("relseal envlock capture: --out is missing", "relseal envlock capture --out envlock.json")
	}
	file := c.String("pipeline")
	if file == "" {
		return r, nil
	}
	name, data, err := env.ReadInput(file, limits.Document)
	if err != nil {
		return r, err
	}
	card, err := cardfile.Pipeline(name, data)
	if err != nil {
		return r, err
	}
	asked := run.Environment(card)
	r.Tools = append(r.Tools, asked.Tools...)
	r.Locks = append(r.Locks, asked.Locks...)
	r.Env = append(r.Env, asked.Env...)
	r.RNGFamily = asked.RNGFamily // the steps are not recorded
	return r, nil
}

// optionalDir returns the argument that follows n others, "" for the current
// directory.
func optionalDir(c *cli.Context, n int) (string, error) {
	if c.NArg() <= n {
		return "", nil
	}
	if extra := c.Args().Slice()[n+1:]; len(extra) > 0 {
		return "", ui.UsageHint(fmt.Sprintf("%s: unexpected argument %q", c.Command.HelpName, extra[0]), c.Command.HelpName+" --help")
	}
	return c.Args().Get(n), nil
}

// checkOutputs refuses before the work, and not after it, to overwrite.
func checkOutputs(files []string, force bool) error {
	if files[1] != "" && filepath.Clean(files[0]) == filepath.Clean(files[1]) {
		return ui.UsageHint(fmt.Sprintf("relseal envlock capture: --out and --sbom are both %s", files[0]), "name two files")
	}
	for _, file := range files {
		if _, err := os.Lstat(file); err == nil && !force {
			return outputError(file, fs.ErrExist)
		}
	}
	return nil
}

func outputError(file string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return hint.With(fmt.Errorf("%s: %w", file, fs.ErrExist), "--force overwrites it")
	}
	return err
}

// unreadFacts returns the facts that are null, in order.
func unreadFacts(component string, facts envlock.Component) (list []capture.Unread) {
	for fact, v := range facts {
		if v == nil {
			list = append(list, capture.Unread{Component: component, Fact: fact, Text: "could not be read"})
		}
	}
	slices.SortFunc(list, func(a, b capture.Unread) int { return strings.Compare(a.Fact, b.Fact) })
	return list
}
