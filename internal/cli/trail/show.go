package trail

import (
	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/trail"
)

func showCommand(env *ui.Env) *cli.Command {
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
	var to trail.Sink = trail.NewText(env.Stdout)
	if c.Bool("json") {
		to = trail.NewSink("jsonl", env.Stdout)
	}
	s, faults, err := open(env, c, to.Flush)
	if err != nil {
		return err
	}
	defer s.Close()
	events := s.Forward
	switch {
	case c.Bool("follow"):
		events = s.Follow
	case c.Bool("reverse"):
		events = s.Backward
	}
	_, err = trail.Copy(newSink(env, c, to), events(c.Context))
	if e := to.Flush(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return faults.Answer()
}
