package trail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/trail"
	"github.com/relseal/relseal/verify"
)

// formatVariable is the variable that names the format where --format does not.
const formatVariable = "RELSEAL_TRAIL_FORMAT"

func exportCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write the events of a trail as JSON or CSV",
		ArgsUsage: "DIR|FILE",
		Description: `The format is that of --format, else that of the variable ` + formatVariable + `, else jsonl:

  json    an array of the trail's lines
  jsonl   the trail's lines without the first
  csv     a row an event; items, snapshot and details as JSON. A cell that begins with
          = + - @ ' a tab or a line break, which spreadsheets take for a formula, has a '
          before it: a reader drops one ' from the start of a cell
  none    nothing; the trail is read all the same

Nothing is verified unless --key is given. A file of --out is whole or absent: of a
trail that is damaged or, with --key, rejected, none is written.

Example:
  relseal trail export DIR --format csv --out events.csv
  relseal trail export DIR --key release.pub --since 2026-03-04T00:00:00Z | jq .e.action`,
		Flags: append(filterFlags(),
			&cli.StringFlag{Name: "format", Usage: "write `json|jsonl|csv|none`; else what RELSEAL_TRAIL_FORMAT says, else jsonl"},
			&cli.StringFlag{Name: "out", Usage: "write to `F` instead of standard output"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file of --out"},
			ui.TrustFlag(),
			&cli.BoolFlag{Name: "json", Usage: "with --out or format none, print the result as JSON"},
		),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "DIR|FILE"); err != nil {
				return err
			}
			return trailExport(env, c)
		},
	}
}

func trailExport(env *ui.Env, c *cli.Context) error {
	format, err := exportFormat(c)
	if err != nil {
		return err
	}
	out := c.String("out")
	switch {
	case format == "none" && out != "":
		return ui.Usage(c.Command.HelpName + ": format none writes nothing; leave out --out")
	case c.Bool("json") && out == "" && format != "none":
		return ui.UsageHint(c.Command.HelpName+": --json tells what was written to --out", "the events as JSON are --format json")
	}
	s, faults, err := open(env, c, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	var n int64
	if out == "" {
		n, err = trail.Copy(newSink(env, c, trail.NewSink(format, env.Stdout)), s.Forward(c.Context))
	} else {
		n, err = exportTo(env, c, s, faults, format, out)
	}
	if err != nil {
		return err
	}
	if err := printExport(env, c, n, format, out); err != nil {
		return err
	}
	return faults.Answer()
}

// exportFormat settles the format: flag over variable over default.
func exportFormat(c *cli.Context) (string, error) {
	format, source := "jsonl", "the default"
	if v := os.Getenv(formatVariable); v != "" {
		format, source = v, formatVariable
	}
	if c.IsSet("format") {
		format, source = c.String("format"), "--format"
	}
	if slices.Contains(trail.Formats(), format) {
		return format, nil
	}
	return "", ui.UsageHint(fmt.Sprintf("%s: %s %q is no format", c.Command.HelpName, source, format), ui.Suggest(format, trail.Formats(), "json, jsonl, csv or none"))
}

// exportTo writes the events to a file, unless something is wrong with the trail.
func exportTo(env *ui.Env, c *cli.Context, s *trail.Source, faults *ui.TrailFaults, format, name string) (int64, error) {
	file, err := durable.Create(name, 0o644, c.Bool("force"))
	if errors.Is(err, fs.ErrExist) {
		return 0, ui.Exists(name)
	}
	if err != nil {
		return 0, err
	}
	defer file.Discard()
	n, err := trail.Copy(newSink(env, c, trail.NewSink(format, file)), s.Forward(c.Context))
	if err != nil {
		return n, err
	}
	if faults.Verdict == verify.Reject {
		return n, faults.Answer()
	}
	return n, file.Commit()
}

func printExport(env *ui.Env, c *cli.Context, events int64, format, out string) error {
	if out == "" && !c.Bool("json") {
		return nil
	}
	result := struct {
		Schema string  `json:"schema"`
		Format string  `json:"format"`
		Events int64   `json:"events"`
		File   *string `json:"file"`
	}{"relseal/trail-export/v1", format, events, nil}
	if out != "" {
		result.File = &out
	}
	return env.Print(c, result, fmt.Sprintf("wrote %s to %s\n", ui.Counted(events, "event"), escape.Line(out)))
}
