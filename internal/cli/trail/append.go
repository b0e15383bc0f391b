package trail

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/trail"
)

func appendCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "append",
		Usage:     "append events to a trail, one or a stream of them",
		ArgsUsage: "DIR",
		Description: `With --action one event, whose --input and --output files are hashed now; their
paths, relative to the current directory, are the uris. With --from a stream of JSON
objects, one a line, with action and actor and, where there is something to say, path,
status, error, notes, inputs.items, outputs.items, TS.snapshot and details. Numbers that
are not integers become decimals as text: 1.50 is "1.5". The step.end of a step that
names no inputs gets those of its step.start.

relseal adds the rest, signs, and answers when the events are on disk. A line that is
refused ends the stream: what came before it is in the trail, nothing after it is. With
--keep-going only the line itself is left out; the exit code is 66 all the same.

Example:
  relseal trail append DIR --key F --action step.start --actor ci --path build --input main.go
  ./build.sh | relseal trail append DIR --key F --from -`,
		Flags: slices.Concat(ui.SigningFlags(), []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "read events from `FILE`, - for standard input"},
			&cli.BoolFlag{Name: "keep-going", Usage: "with --from, go on after a line that is refused"},
		}, eventFlags(), []cli.Flag{ui.JSONFlag()}),
		Action: func(c *cli.Context) error { return trailAppend(env, c) },
	}
}

// eventFlags say what one event says.
func eventFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "action", Usage: "what happened: the action `A`, such as step.end"},
		&cli.StringFlag{Name: "actor", Usage: "`X` did it: a person, job or program"},
		&cli.StringFlag{Name: "path", Usage: "it belongs to the step with the id `S`"},
		&cli.StringFlag{Name: "status", Usage: "how it ended: `ok|failed|aborted`"},
		&cli.StringFlag{Name: "error", Usage: "what went wrong, as text `T`"},
		&cli.StringFlag{Name: "notes", Usage: "any text `T`"},
		&cli.StringSliceFlag{Name: "input", Usage: "a `FILE` that was read; may be repeated"},
		&cli.StringSliceFlag{Name: "output", Usage: "a `FILE` that was made; may be repeated"},
		&cli.StringFlag{Name: "details", Usage: "anything else, as `JSON`"},
	}
}

func trailAppend(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "DIR"); err != nil {
		return err
	}
	if err := ui.Need(c, "key"); err != nil {
		return err
	}
	if c.IsSet("from") {
		for _, f := range eventFlags() {
			if name := f.Names()[0]; c.IsSet(name) {
				return ui.Usage(fmt.Sprintf("%s: --from and --%s exclude each other: the events say it", c.Command.HelpName, name))
			}
		}
		return trailImport(env, c)
	}
	if !c.IsSet("action") {
		return ui.UsageHint(c.Command.HelpName+": neither --from nor --action is given", c.Command.HelpName+" --help")
	}
	if c.Bool("keep-going") {
		return ui.Usage(c.Command.HelpName + ": --keep-going goes with --from")
	}
	if err := ui.Need(c, "actor"); err != nil {
		return err
	}
	d, err := draftOf(c)
	if err != nil {
		return err
	}
	run, err := openRun(env, c)
	if err != nil {
		return err
	}
	defer run.Close()
	recs, err := run.Append(d)
	if err != nil {
		return err
	}
	a := run.Appended()
	a.Add(recs...)
	return printAppended(env, c, a)
}

// draftOf returns the event that the flags describe.
func draftOf(c *cli.Context) (audit.Draft, error) {
	d := audit.Draft{Action: c.String("action"), Actor: audit.Txt(c.String("actor"))}
	for name, text := range map[string]*audit.Text{"path": &d.Path, "error": &d.Error, "notes": &d.Notes} {
		if c.IsSet(name) {
			*text = audit.Txt(c.String(name))
		}
	}
	var err error
	if d.Status, err = statusFlag(c); err != nil {
		return d, err
	}
	if d.Details, err = detailsFlag(c); err != nil {
		return d, err
	}
	inputs, err := filesBelow(c, "input")
	if err != nil {
		return d, err
	}
	outputs, err := filesBelow(c, "output")
	if err != nil {
		return d, err
	}
	if d.Inputs, err = trail.Inputs(c.Context, inputs); err != nil {
		return d, err
	}
	d.Outputs, err = trail.Outputs(c.Context, outputs)
	return d, err
}

func statusFlag(c *cli.Context) (string, error) {
	switch s := c.String("status"); s {
	case "", audit.StatusOK, audit.StatusFailed, audit.StatusAborted:
		return s, nil
	default:
		return "", ui.Usage(fmt.Sprintf("%s: --status %q is not ok, failed or aborted", c.Command.HelpName, s))
	}
}

func detailsFlag(c *cli.Context) (canon.Value, error) {
	if !c.IsSet("details") {
		return nil, nil
	}
	v, err := audit.ImportValue([]byte(c.String("details")))
	if err != nil {
		err = ui.Usage(fmt.Sprintf("%s: --details: %v", c.Command.HelpName, err))
	}
	return v, err
}
