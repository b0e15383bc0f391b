package trail

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/trail"
)

func statsCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "stats",
		Usage:     "count the events of a trail",
		ArgsUsage: "DIR|FILE",
		Description: `Counts events by action, actor and status, and says when the first and the last were
recorded. Nothing is verified unless --key is given.

Example:
  relseal trail stats DIR
  relseal trail stats DIR --action step --json | jq .status`,
		Flags: append(filterFlags(), ui.TrustFlag(), ui.JSONFlag()),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "DIR|FILE"); err != nil {
				return err
			}
			return trailStats(env, c)
		},
	}
}

func trailStats(env *ui.Env, c *cli.Context) error {
	s, faults, err := open(env, c, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	var stats trail.Stats
	if _, err := trail.Copy(newSink(env, c, &stats), s.Brief(c.Context)); err != nil {
		return err
	}
	n := stats.Counts()
	if err := env.Print(c, struct {
		Schema string `json:"schema"`
		trail.Counts
	}{"relseal/trail-stats/v1", n}, statsText(n)); err != nil {
		return err
	}
	return faults.Answer()
}

func statsText(n trail.Counts) string {
	var w strings.Builder
	w.WriteString(ui.Counted(n.Events, "event"))
	if n.First != nil {
		fmt.Fprintf(&w, ", %s to %s", n.First, n.Last)
	}
	w.WriteString("\n")
	for _, group := range []struct {
		name  string
		tally trail.Tally
	}{{"action", n.Action}, {"actor", n.Actor}, {"status", n.Status}} {
		if len(group.tally.Counts) == 0 {
			continue
		}
		fmt.Fprintf(&w, "%s:\n", group.name)
		for _, n := range group.tally.Counts {
			fmt.Fprintf(&w, "  %7d  %s\n", n.Count, escape.Clip(escape.Line(n.Name), 69))
		}
		if group.tally.Others > 0 {
			fmt.Fprintf(&w, "  %7d  of others\n", group.tally.Others)
		}
	}
	return w.String()
}
