package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/verify"
)

// formatVariable is the variable that names the format where --format does not.
const formatVariable = "RELSEAL_TRAIL_FORMAT"

// exportFormats make an exporter each.
var exportFormats = []struct {
	name string
	make func(*bufio.Writer) exporter
}{
	{"json", func(w *bufio.Writer) exporter { return &jsonExporter{w: w} }},
	{"jsonl", func(w *bufio.Writer) exporter { return jsonlExporter{w} }},
	{"csv", func(w *bufio.Writer) exporter { return &csvExporter{w: w} }},
	{"none", func(*bufio.Writer) exporter { return noExporter{} }},
}

// An exporter writes events in a format.
type exporter interface {
	begin()
	event(trailEvent) error
	end()
}

func trailExportCommand(env *ui.Env) *cli.Command {
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
	s, err := openTrailSource(env, c)
	if err != nil {
		return err
	}
	defer s.file.Close()
	if out == "" {
		if err := s.export(c, format, env.Stdout); err != nil {
			return err
		}
	} else if err := s.exportTo(c, format, out); err != nil {
		return err
	}
	if err := printExport(env, c, s, format, out); err != nil {
		return err
	}
	return s.faults.answer()
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
	var names []string
	for _, f := range exportFormats {
		if f.name == format {
			return format, nil
		}
		names = append(names, f.name)
	}
	return "", ui.UsageHint(fmt.Sprintf("%s: %s %q is no format", c.Command.HelpName, source, format), ui.Suggest(format, names, "json, jsonl, csv or none"))
}

// export writes the events to w.
func (s *trailSource) export(c *cli.Context, format string, w io.Writer) error {
	out := bufio.NewWriter(w)
	var x exporter
	for _, f := range exportFormats {
		if f.name == format {
			x = f.make(out)
		}
	}
	x.begin()
	if err := s.each(c.Context, x.event); err != nil {
		return err
	}
	x.end()
	return out.Flush()
}

// exportTo writes the events to a file, unless something is wrong with the trail.
func (s *trailSource) exportTo(c *cli.Context, format, name string) error {
	file, err := durable.Create(name, 0o644, c.Bool("force"))
	if errors.Is(err, fs.ErrExist) {
		return ui.Exists(name)
	}
	if err != nil {
		return err
	}
	defer file.Discard()
	if err := s.export(c, format, file); err != nil {
		return err
	}
	if s.faults.verdict == verify.Reject {
		return s.faults.answer()
	}
	return file.Commit()
}

func printExport(env *ui.Env, c *cli.Context, s *trailSource, format, out string) error {
	if out == "" && !c.Bool("json") {
		return nil
	}
	result := struct {
		Schema string  `json:"schema"`
		Format string  `json:"format"`
		Events int64   `json:"events"`
		File   *string `json:"file"`
	}{"relseal/trail-export/v1", format, s.given, nil}
	if out != "" {
		result.File = &out
	}
	return env.Print(c, result, fmt.Sprintf("wrote %s to %s\n", ui.Counted(s.given, "event"), escape.Line(out)))
}

type noExporter struct{}

func (noExporter) begin() {}

func (noExporter) event(trailEvent) error { return nil }

func (noExporter) end() {}

type jsonlExporter struct{ w *bufio.Writer }

func (jsonlExporter) begin() {}

func (x jsonlExporter) event(e trailEvent) error {
	x.w.Write(e.line)
	return x.w.WriteByte('\n')
}

func (jsonlExporter) end() {}

// A jsonExporter writes an array, one event a line.
type jsonExporter struct {
	w    *bufio.Writer
	some bool
}

func (x *jsonExporter) begin() { x.w.WriteByte('[') }

func (x *jsonExporter) event(e trailEvent) error {
	if x.some {
		x.w.WriteByte(',')
	}
	x.some = true
	x.w.WriteByte('\n')
	_, err := x.w.Write(e.line)
	return err
}

func (x *jsonExporter) end() { x.w.WriteString("\n]\n") }
