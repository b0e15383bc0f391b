package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/sign"
)

func explainCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "say what decided, by which window, and what promotion waits for",
		ArgsUsage: "[DECISION]",
		Description: `Explains the recorded decision in the file DECISION, or the one that follows from a policy and
windows; then with a table of the windows and of what would have been decided at the end of
each. A value that breaks its threshold has a ! behind it, one that is unknown a ?.
--svg draws the same. The earliest promotion assumes that every window to come is good and
as long as the last one. Exit 0 whatever the decision.

Example:
  relseal gate explain decision.json
  relseal gate explain --ledger ledger --channel canary
  relseal gate explain --policy gates.yaml --windows windows.csv --channel canary --svg gate.svg`,
		Flags: append(append([]cli.Flag{policyFlag(ledgerPolicy)}, windowFlags()...),
			nowFlag(),
			&cli.StringFlag{Name: "svg", Usage: "draw each metric against its threshold into the file `F`"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file of --svg"},
			ui.JSONFlag(),
		),
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return explainRecord(env, c)
			}
			return explain(env, c)
		},
	}
}

type gateExplained struct {
	Schema   string         `json:"schema"`
	Outcome  gates.Outcome  `json:"outcome"`
	Digest   sign.Digest    `json:"digest"`
	Decision gates.Decision `json:"decision"`
	Text     string         `json:"text"`
	Points   []gates.Point  `json:"points"` // null of a record alone
	File     *string        `json:"file"`
}

func explainRecord(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "DECISION"); err != nil {
		return err
	}
	for _, f := range []string{"policy", "windows", "ledger", "channel", "svg"} {
		if c.IsSet(f) {
			return ui.UsageHint(fmt.Sprintf("%s: --%s and DECISION exclude each other: a record has its own", c.Command.HelpName, f), "relseal gate replay makes a recorded decision again")
		}
	}
	d, data, err := readDecision(env, c.Args().First())
	if err != nil {
		return err
	}
	text := d.Explain()
	return env.Print(c, gateExplained{explainSchema, d.Decision, sign.Sum(data), d, text, nil, nil}, text)
}

const explainSchema = "relseal/gate-explain/v1"

func explain(env *ui.Env, c *cli.Context) error {
	svg := c.String("svg")
	if err := checkNew(c, svg); err != nil {
		return err
	}
	d, err := decide(env, c)
	if err != nil {
		return err
	}
	points, err := gates.BacktestContext(c.Context, d.policy, gates.Input{Channel: d.Channel, Release: d.Release, SinceMS: d.SinceMS, Windows: slices.Collect(d.windows.All())})
	if err != nil {
		return err
	}
	if svg != "" {
		if err := writeNew(c, svg, gateChart(d, points)); err != nil {
			return err
		}
	}
	text := d.text() + windowTable(d, points)
	return env.Print(c, gateExplained{explainSchema, d.outcome(), d.digest, d.Decision, d.text(), points, ui.OrNull(svg)}, text)
}

// shownWindows is how many windows the table has at most: the last ones.
const shownWindows = 50

// windowTable shows each window with its values, and what was decided at its end.
func windowTable(d decision, points []gates.Point) string {
	ws := gates.Ordered(d.windows.All(), d.SinceMS)
	if len(ws) == 0 {
		return ""
	}
	left := max(0, len(ws)-shownWindows)
	ws = ws[left:]
	columns, rows := gates.Table(d.policy, d.Channel, ws)
	head, taus := []string{"window", "end"}, []string{"", ""}
	for _, col := range columns {
		head = append(head, col.Metric)
		taus = append(taus, col.Op+" "+string(col.Limit)+strings.TrimRight(" "+col.Unit, " "))
	}
	table := [][]string{append(head, "decision"), append(taus, "")}
	for i, w := range ws {
		row := []string{escape.Line(w.ID), clockText(w.EndMS)}
		for _, cell := range rows[i] {
			row = append(row, cellText(cell))
		}
		table = append(table, append(row, pointText(points, w.EndMS)))
	}
	var out strings.Builder
	out.WriteByte('\n')
	out.WriteString(aligned(table))
	if left > 0 {
		fmt.Fprintf(&out, "and %s before\n", ui.Counted(left, "window"))
	}
	return out.String()
}

// cellText is a value with its mark.
func cellText(c gates.Cell) string {
	text := escape.Clip(escape.Line(string(c.Value)), 12)
	switch {
	case c.Breaks && c.Fault != "":
		return "none, " + string(c.Number) + "!"
	case c.Breaks:
		return text + "!"
	case c.Fault != "":
		return text + "?"
	}
	return text
}

// pointText is what was decided at an instant.
func pointText(points []gates.Point, at int64) string {
	for _, p := range points {
		if p.NowMS == at {
			return string(p.Decision)
		}
	}
	return ""
}

// clockText is a time of day with its date, UTC.
func clockText(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.999") }

// aligned returns rows as columns with two spaces between.
func aligned(rows [][]string) string {
	width := map[int]int{}
	for _, row := range rows {
		for i, text := range row {
			width[i] = max(width[i], len([]rune(text)))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, text := range row {
			fmt.Fprintf(&line, "%-*s  ", width[i], text)
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return out.String()
}
