package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
)

func manCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "man",
		Usage:     "print or write the manual pages",
		ArgsUsage: "[COMMAND]",
		Description: `Prints the page of relseal or of one of its commands, or writes all pages to the
directory of --out: relseal.1, relseal-cut.1 and so on, one a command.

Example:
  relseal man key show | man -l -
  relseal man --out /usr/local/share/man/man1`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out", Usage: "write all pages to `DIR`"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite pages"},
			ui.JSONFlag(),
		},
		Action: func(c *cli.Context) error { return runMan(env, c) },
	}
}

type manPage struct {
	File string `json:"file"`
	Text string `json:"text"`
}

func runMan(env *ui.Env, c *cli.Context) error {
	root := commandTree(c.App)
	if dir := c.String("out"); c.IsSet("out") {
		if err := ui.ExactArgs(c); err != nil {
			return err
		}
		return writeMan(env, c, root, dir)
	}
	path := strings.Join(c.Args().Slice(), " ")
	for _, n := range root.all() {
		if n.path == path {
			text := n.man(root)
			return env.Print(c, struct {
				Schema string    `json:"schema"`
				Pages  []manPage `json:"pages"`
			}{"relseal/man/v1", []manPage{{n.page() + ".1", text}}}, text)
		}
	}
	return ui.UsageHint(fmt.Sprintf("relseal man: unknown command %q", path), "relseal --help lists the commands")
}

func writeMan(env *ui.Env, c *cli.Context, root node, dir string) error {
	if err := durable.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var written []string
	for _, n := range root.all() {
		file := filepath.Join(dir, n.page()+".1")
		err := durable.WriteFile(file, []byte(n.man(root)), 0o644, c.Bool("force"))
		if errors.Is(err, fs.ErrExist) {
			return hint.With(fmt.Errorf("%s: %w", file, fs.ErrExist), "--force overwrites it")
		}
		if err != nil {
			return err
		}
		written = append(written, file)
	}
	return env.Print(c, struct {
		Schema string   `json:"schema"`
		Files  []string `json:"files"`
	}{"relseal/man-pages/v1", written}, fmt.Sprintf("wrote %s to %s\n", ui.Counted(len(written), "page"), dir))
}
