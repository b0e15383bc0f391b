package cli

import (
	"bufio"
	"cmp"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
)

func trailShowCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print the events of a trail, one a line",
		ArgsUsage: "DIR|FILE",
		Description: `Prints number, time, actor, action, and of path, status, error and notes what fits into
80 columns; --json prints the lines of the trail instead. Nothing is verified unless
--key is given: then findings go to stderr, the exit code is that of trail verify, and an
event that the key does not vouch for has a ! before it.

Example:
  relseal trail show DIR --action step --status failed
  relseal trail show DIR --reverse --limit 10
  relseal trail show DIR --follow --key release.pub`,
		Flags: append(filterFlags(),
			&cli.BoolFlag{Name: "follow", Usage: "wait for events to come, until the trail is closed"},
			&cli.BoolFlag{Name: "reverse", Usage: "the newest first"},
			&cli.Int64Flag{Name: "limit", Usage: "print at most `N` events"},
			ui.TrustFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print the lines of the trail: JSON"},
		),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "DIR|FILE"); err != nil {
				return err
			}
			if c.Bool("follow") && c.Bool("reverse") {
				return ui.Usage(c.Command.HelpName + ": --follow and --reverse exclude each other")
			}
			if c.IsSet("limit") && c.Int64("limit") < 1 {
				return ui.Usage(c.Command.HelpName + ": --limit is less than 1")
			}
			return trailShow(env, c)
		},
	}
}

func trailShow(env *ui.Env, c *cli.Context) error {
	s, err := openTrailSource(env, c)
	if err != nil {
		return err
	}
	defer s.file.Close()
	out := bufio.NewWriter(env.Stdout)
	s.idle = out.Flush
	show := func(e trailEvent) error {
		_, err := out.WriteString(eventRow(e) + "\n")
		return err
	}
	if c.Bool("json") {
		show = func(e trailEvent) error {
			out.Write(e.line)
			return out.WriteByte('\n')
		}
	}
	each := s.each
	if c.Bool("reverse") {
		each = s.eachReverse
	}
	err = each(c.Context, show)
	if e := out.Flush(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return s.faults.answer()
}

// rowWidth is how many characters a row has at most: the narrowest terminal that
// people use.
const rowWidth = 80

// eventRow says an event in one line. What is cut off ends in a mark; --json has
// it all.
func eventRow(e trailEvent) string {
	mark := " "
	if e.doubtful {
		mark = "!"
	}
	row := fmt.Sprintf("%s%5d %s %s %s ", mark, e.E.K, e.E.TS.Format("2006-01-02T15:04:05Z"),
		ui.Cell(escape.Line(e.E.Actor.String()), 10), ui.Cell(e.E.Action, 11))
	return strings.TrimRight(row+ui.Clipped(eventText(&e.E), rowWidth-len([]rune(row))), " ")
}

// eventText is what an event says beyond who and what: build failed: exit status 1.
func eventText(e *audit.Event) string {
	var words []string
	for _, w := range []string{escape.Line(e.Path.String()), e.Status} {
		if w != "" {
			words = append(words, w)
		}
	}
	text := strings.Join(words, " ")
	if more := escape.Line(cmp.Or(e.Error.String(), e.Notes.String())); more != "" && text != "" {
		text += ": " + more
	} else {
		text += more
	}
	return text
}
