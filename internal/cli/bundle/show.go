package bundle

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/pack"
)

func showCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print what a bundle says of itself, without trusting it",
		ArgsUsage: "BUNDLE",
		Description: `Nothing is verified: whoever wrote the bundle can have written anything. Needs no key,
and shows which one to ask for. Exit 66: it is no bundle.

Example:
  relseal bundle show greetd-1.0.0.release.tar.zst`,
		Flags: []cli.Flag{ui.JSONFlag()},
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "BUNDLE"); err != nil {
				return err
			}
			contents, err := pack.ReadContents(c.Context, c.Args().First())
			if err != nil {
				return hint.With(err, ui.ShelfHint(c.Args().First()))
			}
			return env.Print(c, struct {
				Schema   string `json:"schema"`
				Verified bool   `json:"verified"`
				pack.Contents
			}{"relseal/bundle-contents/v1", false, contents}, contentsText(contents))
		},
	}
}

func contentsText(c pack.Contents) string {
	var w strings.Builder
	fmt.Fprintf(&w, "NOT VERIFIED: this is what the bundle says of itself\n%s bundle %s\n", c.Kind, c.ID)
	line := func(name string, value *string) {
		if value != nil {
			fmt.Fprintf(&w, "  %-8s %s\n", name, escape.Line(*value))
		}
	}
	line("product", &c.Product)
	line("version", c.Version)
	line("channel", c.Channel)
	line("commit", c.Commit)
	line("run", c.Run)
	line("outcome", c.Outcome)
	for i, s := range c.Signers {
		id := s.ID.String()
		line([]string{"key", "signed"}[min(i, 1)], &id)
	}
	for _, id := range c.Evidence {
		fmt.Fprintf(&w, "  evidence %s\n", id)
	}
	section(&w, "trails", len(c.Trails))
	for _, t := range c.Trails {
		fmt.Fprintf(&w, "  %s: a %s of %s\n", escape.Line(t.Path), escape.Line(t.Purpose), ui.Counted(int(t.K), "event"))
	}
	section(&w, "artifacts", len(c.Artifacts))
	for _, a := range c.Artifacts {
		fmt.Fprintf(&w, "  %12d  %s\n                %s\n", a.Size, escape.Line(a.URI), a.Hash)
	}
	section(&w, "files", len(c.Files))
	for _, f := range c.Files {
		role := "-"
		if f.Role != nil {
			role = escape.Line(*f.Role)
		}
		fmt.Fprintf(&w, "  %12d  %-9s %s\n", f.Size, role, escape.Line(f.Path))
	}
	section(&w, "listed and not there", len(c.Missing))
	for _, path := range c.Missing {
		fmt.Fprintf(&w, "  %s\n", escape.Line(path))
	}
	section(&w, "faults of form", len(c.Findings))
	for _, f := range c.Findings {
		where := ""
		if f.Path != nil {
			where = " " + escape.Line(*f.Path)
		}
		fmt.Fprintf(&w, "  %s%s: %s\n", f.Code, where, escape.Line(f.Text))
	}
	return w.String()
}

func section(w *strings.Builder, title string, n int) {
	if n > 0 {
		fmt.Fprintf(w, "%s:\n", title)
	}
}
