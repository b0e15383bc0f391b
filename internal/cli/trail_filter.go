package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/cli/ui"
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

// An eventFilter says which events are wanted; what is empty asks for nothing.
type eventFilter struct {
	actor, action, status, path string
	since, until                time.Time
}

func newEventFilter(c *cli.Context) (f eventFilter, err error) {
	f = eventFilter{actor: c.String("actor"), action: c.String("action"), path: c.String("path")}
	if f.status, err = statusFlag(c); err != nil {
		return f, err
	}
	for name, at := range map[string]*time.Time{"since": &f.since, "until": &f.until} {
		if !c.IsSet(name) {
			continue
		}
		if *at, err = time.Parse(time.RFC3339, c.String(name)); err != nil {
			return f, ui.UsageHint(fmt.Sprintf("%s: --%s %q is not a time", c.Command.HelpName, name, c.String(name)), "a time is 2026-03-04T05:06:07Z, or has +01:00 for Z (RFC 3339)")
		}
	}
	return f, nil
}

func (f eventFilter) wants(e *audit.Event) bool {
	switch {
	case f.actor != "" && e.Actor.String() != f.actor,
		f.action != "" && e.Action != f.action && !strings.HasPrefix(e.Action, f.action+"."),
		f.status != "" && e.Status != f.status,
		f.path != "" && e.Path.String() != f.path,
		!f.since.IsZero() && e.TS.Before(f.since),
		!f.until.IsZero() && !e.TS.Before(f.until):
		return false
	}
	return true
}
