package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
)

func trailStatsCommand(env *ui.Env) *cli.Command {
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
			return runTrailStats(env, c)
		},
	}
}

func runTrailStats(env *ui.Env, c *cli.Context) error {
	s, err := openTrailSource(env, c)
	if err != nil {
		return err
	}
	defer s.file.Close()
	var t trailStats
	if err := s.eachBrief(c.Context, func(e trailEvent) error { t.add(&e.E); return nil }); err != nil {
		return err
	}
	if err := env.Print(c, t.result(), t.text()); err != nil {
		return err
	}
	return s.faults.answer()
}

// trailStats are counts of events.
type trailStats struct {
	events                int64
	first, last           *audit.Time // of the first and the last event, in the order of the trail
	action, actor, status tally
}

func (t *trailStats) add(e *audit.Event) {
	t.events++
	ts := e.TS
	if t.first == nil {
		t.first = &ts
	}
	t.last = &ts
	t.action.add(e.Action)
	t.actor.add(e.Actor.String())
	t.status.add(e.Status)
}

type statsResult struct {
	Schema string      `json:"schema"`
	Events int64       `json:"events"`
	First  *audit.Time `json:"first"`
	Last   *audit.Time `json:"last"`
	Action tallyResult `json:"action"`
	Actor  tallyResult `json:"actor"`
	Status tallyResult `json:"status"`
}

func (t *trailStats) result() statsResult {
	return statsResult{"relseal/trail-stats/v1", t.events, t.first, t.last, t.action.result(), t.actor.result(), t.status.result()}
}

func (t *trailStats) text() string {
	var w strings.Builder
	w.WriteString(ui.Counted(t.events, "event"))
	if t.first != nil {
		fmt.Fprintf(&w, ", %s to %s", t.first, t.last)
	}
	w.WriteString("\n")
	for _, group := range []struct {
		name  string
		tally tallyResult
	}{{"action", t.action.result()}, {"actor", t.actor.result()}, {"status", t.status.result()}} {
		if len(group.tally.Counts) == 0 {
			continue
		}
		fmt.Fprintf(&w, "%s:\n", group.name)
		for _, n := range group.tally.Counts {
			fmt.Fprintf(&w, "  %7d  %s\n", n.Count, ui.Clipped(escape.Line(n.Name), rowWidth-11))
		}
		if group.tally.Others > 0 {
			fmt.Fprintf(&w, "  %7d  of others\n", group.tally.Others)
		}
	}
	return w.String()
}

// A tally counts events by a name. The trail says how many different names there
// are, so their length in all is bounded: what comes after is counted together.
type tally struct {
	counts map[string]int64
	bytes  int
	others int64
}

func (t *tally) add(name string) {
	if name == "" {
		return
	}
	if _, ok := t.counts[name]; !ok && t.bytes+len(name) > limits.MiB {
		t.others++
		return
	} else if !ok {
		t.bytes += len(name)
	}
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	t.counts[name]++
}

type tallyResult struct {
	Counts []nameCount `json:"counts"`
	Others int64       `json:"others"` // events of names that are not listed
}

type nameCount struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// result returns the counts, the highest first.
func (t *tally) result() tallyResult {
	r := tallyResult{[]nameCount{}, t.others}
	for name, n := range t.counts {
		r.Counts = append(r.Counts, nameCount{name, n})
	}
	slices.SortFunc(r.Counts, func(a, b nameCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return r
}
