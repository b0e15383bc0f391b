package card

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/scaffold"
)

func cardNew(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "pipeline or params"); err != nil {
		return err
	}
	project := scaffold.Blank("product")
	kind, render := cardKind(c.Args().First()), project.PipelineCard
	switch kind {
	case pipelineCard:
	case paramCard:
		render = project.ParamCard
	default:
		return ui.UsageHint(fmt.Sprintf("relseal card new: unknown kind %q", string(kind)),
			ui.Suggest(string(kind), []string{string(pipelineCard), string(paramCard)}, "relseal card new pipeline, or params"))
	}
	data, err := render()
	if err != nil {
		return err
	}
	file, text := c.String("out"), string(data)
	if file != "" {
		if err := durable.WriteFile(file, data, 0o644, false); err != nil {
			if errors.Is(err, fs.ErrExist) {
				err = hint.With(fmt.Errorf("%s: %w", file, fs.ErrExist), "files that exist are never changed; choose another name")
			}
			return err
		}
		text = fmt.Sprintf("wrote %s\n", file)
	}
	return env.Print(c, struct {
		Schema string   `json:"schema"`
		Kind   cardKind `json:"kind"`
		File   *string  `json:"file"` // null if it was printed
		Text   string   `json:"text"`
	}{"relseal/card-new/v1", kind, ui.OrNull(file), string(data)}, text)
}
