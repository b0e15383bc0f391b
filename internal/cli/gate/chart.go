package gate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/chart"
	"github.com/relseal/relseal/internal/escape"
)

// drawnWindows is how many windows a chart has at most: the last ones. More are
// thinner than a line.
const drawnWindows = 1000

// gateChart draws the windows of a decision.
func gateChart(d decision, points []gates.Point) []byte {
	c := chart.Chart{Title: chartTitle(d), Description: d.text(), FromMS: d.SinceMS, ToMS: d.NowMS}
	ws := gates.Ordered(d.windows.All(), d.SinceMS)
	if left := len(ws) - drawnWindows; left > 0 {
		ws = ws[left:]
		c.Description += fmt.Sprintf("Drawn are the last %d of %d windows.\n", len(ws), len(ws)+left)
	}
	evidence := map[string]bool{}
	for _, id := range d.Evidence {
		evidence[id] = true
	}
	if len(ws) > 0 {
		c.FromMS = ws[0].StartMS
	}
	for _, w := range ws {
		c.ToMS = max(c.ToMS, w.EndMS)
		if evidence[w.ID] {
			if c.Evidence == nil {
				c.Evidence = &chart.Range{StartMS: w.StartMS, Text: "evidence"}
			}
			c.Evidence.EndMS = w.EndMS
		}
	}
	columns, rows := gates.Table(d.policy, d.Channel, ws)
	for k, col := range columns {
		c.Panels = append(c.Panels, chartPanel(col, k, ws, rows))
	}
	for _, p := range points {
		if p.NowMS > c.FromMS {
			c.Decisions = append(c.Decisions, chart.Decision{AtMS: p.NowMS, Name: string(p.Decision), Shape: shapes[p.Decision]})
		}
	}
	return chart.SVG(c)
}

var shapes = map[gates.Outcome]chart.Shape{
	gates.Promote: chart.Triangle, gates.Rollback: chart.Cross, gates.Undecidable: chart.Question, gates.Error: chart.Question,
}

func chartTitle(d decision) string {
	title := fmt.Sprintf("%s %s at %s", d.outcome(), d.Channel, clockText(d.NowMS))
	if d.Release != "" {
		title += ", release " + escape.Clip(escape.Line(d.Release), 24)
	}
	return title
}

// chartPanel draws a column. A value that is no number of binary64 is drawn as
// unknown; what decided is the exact one, and its text.
func chartPanel(col gates.Column, k int, ws []gates.Window, rows [][]gates.Cell) chart.Panel {
	unit := strings.TrimRight(" "+col.Unit, " ")
	p := chart.Panel{Name: col.Metric, AtLeast: col.Op == ">=", LimitText: col.Tau + " " + string(col.Limit) + unit}
	p.Limit, _ = strconv.ParseFloat(string(col.Limit), 64)
	consequence := "blocks a promotion"
	if col.Trigger {
		consequence = "rolls back"
	}
	p.Rule = fmt.Sprintf("%s %s%s, else it %s", col.Op, col.Limit, unit, consequence)
	for i, w := range ws {
		cell := rows[i][k]
		s := chart.Span{StartMS: w.StartMS, EndMS: max(w.EndMS, w.StartMS), State: chart.Unknown, Text: escape.Clip(string(cell.Number), 12)}
		if v, err := strconv.ParseFloat(string(cell.Number), 64); err == nil {
			s.Value, s.State = v, chart.Holds
			if cell.Breaks {
				s.State = chart.Breaks
			}
		}
		p.Spans = append(p.Spans, s)
	}
	return p
}
