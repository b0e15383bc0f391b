package chart

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// newDecisions draws the last panel: what was decided when, and by what.
func newDecisions(c Chart) *plot.Plot {
	p := newPlot(c)
	p.Y.Min, p.Y.Max = 0, 1
	p.HideY()
	p.X.Tick.Marker = timeTicks{labels: true}
	p.Add(guides(c.Decisions), decisionMarks(c))
	return p
}

// changes are the decisions that are not as the one before.
func changes(decisions []Decision) []Decision {
	var out []Decision
	for i, d := range decisions {
		if i == 0 || decisions[i-1].Name != d.Name {
			out = append(out, d)
		}
	}
	return out
}

// guides are dotted lines through all panels where the decision changes.
type guides []Decision

func (g guides) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	for _, d := range changes(g) {
		at := x(float64(d.AtMS))
		c.StrokeLine2(line(faint, 0.8, 1.5, 3), at, c.Min.Y, at, c.Max.Y)
	}
}

type decisionMarks Chart

func (m decisionMarks) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if e := m.Evidence; e != nil {
		from, to, low, high := x(float64(e.StartMS)), x(float64(e.EndMS)), y(0.04), y(0.30)
		c.FillPolygon(band, []vg.Point{{X: from, Y: low}, {X: to, Y: low}, {X: to, Y: high}, {X: from, Y: high}})
		label := style(ink, fontSize-1)
		label.XAlign, label.YAlign = draw.XCenter, draw.YCenter
		c.FillText(label, vg.Point{X: inside(c, (from+to)/2, label.Width(e.Text)), Y: (low + high) / 2}, e.Text)
	}
	middle := y(0.5)
	if len(m.Decisions) <= 80 {
		for _, d := range m.Decisions {
			mark(c, d.Shape, vg.Point{X: x(float64(d.AtMS)), Y: middle})
		}
	}
	row, end := 0, [2]vg.Length{} // two rows of names, so that near ones do not touch
	for _, d := range changes(m.Decisions) {
		at := x(float64(d.AtMS))
		mark(c, d.Shape, vg.Point{X: at, Y: middle})
		label := style(ink, fontSize-1)
		label.XAlign = draw.XCenter
		width := label.Width(d.Name)
		center := inside(c, at, width)
		if row = 0; center-width/2 < end[0]+4 {
			row = 1
		}
		if center-width/2 < end[row]+4 && end[row] > 0 {
			continue // its shape says it
		}
		end[row] = center + width/2
		c.FillText(label, vg.Point{X: center, Y: y(0.63 + 0.2*float64(row))}, d.Name)
	}
}

// mark draws the shape of a decision.
func mark(c draw.Canvas, s Shape, at vg.Point) {
	switch s {
	case Triangle:
		c.FillPolygon(limit, []vg.Point{{X: at.X - 5, Y: at.Y - 4}, {X: at.X + 5, Y: at.Y - 4}, {X: at.X, Y: at.Y + 5}})
	case Cross:
		cross(c, wrong, at, 4.5)
	case Question:
		question := style(ink, fontSize+2)
		question.XAlign, question.YAlign = draw.XCenter, draw.YCenter
		c.FillText(question, at, "?")
	default:
		ring(c, ink, at, 3)
	}
}

// legend says what the marks mean.
func legend(c draw.Canvas, at vg.Point) {
	said := style(faint, fontSize)
	entry := func(draw func(vg.Point), words string) {
		draw(vg.Point{X: at.X + 5, Y: at.Y + 4})
		at.X += 15
		c.FillText(said, at, words)
		at.X += said.Width(words) + 16
	}
	entry(func(p vg.Point) { disc(c, ink, p, 2.6) }, "holds")
	entry(func(p vg.Point) { cross(c, wrong, p, 4) }, "breaks its threshold")
	entry(func(p vg.Point) { mark(c, Question, p) }, "unknown")
	entry(func(p vg.Point) { c.StrokeLine2(line(limit, 1.2, 4, 2), p.X-6, p.Y, p.X+6, p.Y) }, "threshold")
	entry(func(p vg.Point) { mark(c, Ring, p) }, "HOLD")
	entry(func(p vg.Point) { mark(c, Triangle, p) }, "PROMOTE")
	entry(func(p vg.Point) { mark(c, Cross, p) }, "ROLLBACK")
	entry(func(p vg.Point) { mark(c, Question, p) }, "UNDECIDABLE")
}
