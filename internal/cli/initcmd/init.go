// Package initcmd is the command init: files to start from.
package initcmd

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/scaffold"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "write a configuration, cards and gates to start from",
		ArgsUsage: "DIR",
		Description: `Writes relseal.yaml, cards/pipeline.yaml, cards/params.yaml, gates.yaml,
ci/promote.sh and .gitignore to DIR, with comments. Until a build command is filled in, the one step
fails. --from-go-module and --from-makefile fill in what the project says itself.
A file that exists is never changed: nothing is written then (exit 73). A .gitignore
that exists stays as it is, and the lines that it lacks are printed.

Example:
  relseal init .
  relseal init --from-go-module --main ./cmd/greetd .`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "from-go-module", Usage: "build and test the Go module in DIR"},
			&cli.StringFlag{Name: "main", Usage: "with --from-go-module: build the command `PKG`, of several"},
			&cli.BoolFlag{Name: "from-makefile", Usage: "run the targets build (or all) and test of the Makefile in DIR"},
			ui.JSONFlag(),
		},
		Action: func(c *cli.Context) error { return runInit(env, c) },
	}
}

// What init takes a project from, beside its name.
const (
	fromGoModule = "go-module"
	fromMakefile = "makefile"
)

func runInit(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "DIR"); err != nil {
		return err
	}
	dir := c.Args().First()
	project, from, err := initProject(c, dir)
	if err != nil {
		return err
	}
	files, err := project.Files()
	if err != nil {
		return err
	}
	w, err := scaffold.Write(dir, files)
	if err != nil {
		return err
	}
	return env.Print(c, struct {
		Schema  string   `json:"schema"`
		Product string   `json:"product"`
		From    *string  `json:"from"` // null: from nothing but its name
		Files   []string `json:"files"`
		Kept    []string `json:"kept"`
		Ignore  []string `json:"ignore"` // lines that the kept .gitignore lacks
	}{"relseal/init/v1", project.Product, ui.OrNull(from), w.Files, w.Kept, w.Lines}, initText(dir, from, w))
}

func initProject(c *cli.Context, dir string) (p scaffold.Project, from string, err error) {
	goModule, makefile := c.Bool("from-go-module"), c.Bool("from-makefile")
	switch {
	case goModule && makefile:
		return p, "", ui.Usage("relseal init: --from-go-module and --from-makefile exclude each other")
	case c.IsSet("main") && !goModule:
		return p, "", ui.Usage("relseal init: --main is for --from-go-module")
	case goModule:
		p, err = scaffold.FromGoModule(dir, c.String("main"))
		return p, fromGoModule, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return p, "", err
	}
	if makefile {
		p, err = scaffold.FromMakefile(dir, filepath.Base(abs))
		return p, fromMakefile, err
	}
	return scaffold.Blank(filepath.Base(abs)), "", nil
}

func initText(dir, from string, w scaffold.Written) string {
	var text strings.Builder
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, name := range w.Files {
		fmt.Fprintf(&text, "wrote %s\n", at(name))
	}
	for _, name := range w.Kept {
		fmt.Fprintf(&text, "kept  %s\n", at(name))
	}
	if len(w.Lines) > 0 {
		fmt.Fprintf(&text, "Add to %s:\n  %s\n", at(".gitignore"), strings.Join(w.Lines, "\n  "))
	}
	todo := "Fill in the build command in " + at("cards/pipeline.yaml")
	switch from {
	case fromGoModule:
		todo = "Look through " + at("cards/pipeline.yaml")
	case fromMakefile:
		todo = fmt.Sprintf("Fill in what make reads and makes in %s, and the artifacts in %s", at("cards/pipeline.yaml"), at("relseal.yaml"))
	}
	fmt.Fprintf(&text, "%s, then:\n  relseal cut --new-key %s\n", todo, hint.Quote(dir))
	return text.String()
}
