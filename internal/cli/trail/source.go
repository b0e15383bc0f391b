package trail

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/trail"
)

// filterFlags are on the commands that read events.
func filterFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "actor", Usage: "only events of the actor `A`"},
		&cli.StringFlag{Name: "action", Usage: "only events of the action `A`, or below it: step takes step.start and step.end"},
		&cli.StringFlag{Name: "status", Usage: "only events that ended `ok|failed|aborted`"},
		&cli.StringFlag{Name: "path", Usage: "only events of the step `S`"},
		&cli.StringFlag{Name: "since", Usage: "only events at or after this `TIME`, such as 2026-03-04T05:06:07Z (RFC 3339)"},
		&cli.StringFlag{Name: "until", Usage: "only events before this `TIME`"},
	}
}

func filter(c *cli.Context) (f trail.Filter, err error) {
	f = trail.Filter{Actor: c.String("actor"), Action: c.String("action"), Path: c.String("path")}
	if f.Status, err = statusFlag(c); err != nil {
		return f, err
	}
	for name, at := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		if !c.IsSet(name) {
			continue
		}
		if *at, err = time.Parse(time.RFC3339, c.String(name)); err != nil {
			return f, ui.UsageHint(fmt.Sprintf("%s: --%s %q is not a time", c.Command.HelpName, name, c.String(name)), "a time is 2026-03-04T05:06:07Z, or has +01:00 for Z (RFC 3339)")
		}
	}
	return f, nil
}

// open opens the trail that the command names. Its faults are told as they are found.
func open(env *ui.Env, c *cli.Context, idle func() error) (*trail.Source, *ui.TrailFaults, error) {
	faults := ui.NewTrailFaults(env)
	o := trail.Options{Limit: c.Int64("limit"), Fault: faults.Add, Idle: idle}
	var err error
	if o.Filter, err = filter(c); err != nil {
		return nil, nil, err
	}
	if c.IsSet("key") {
		trusted, err := keys.LoadTrusted(c.StringSlice("key"))
		if err != nil {
			return nil, nil, err
		}
		o.Keys = trusted
	}
	name, err := ui.TrailFile(c.Args().First())
	if err != nil {
		return nil, nil, err
	}
	s, err := trail.Open(name, o)
	return s, faults, err
}

// A sink says before the first event that nobody vouches for it, where nobody does.
type sink struct {
	trail.Sink
	first func()
}

func newSink(env *ui.Env, c *cli.Context, to trail.Sink) *sink {
	s := &sink{Sink: to, first: func() {}}
	if !c.IsSet("key") {
		s.first = func() { env.Say("hint", "nothing was verified; --key release.pub checks the chain") }
	}
	return s
}

func (s *sink) Event(e trail.Event) error {
	s.first()
	s.first = func() {}
	return s.Sink.Event(e)
}
