package chart

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// newPlot returns a plot without anything, over the chart's time.
func newPlot(c Chart) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Min, p.X.Max = float64(c.FromMS), float64(max(c.ToMS, c.FromMS+1))
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = faint, faint
		axis.Padding = 0
		align := axis.Tick.Label
		axis.Tick.Label = style(faint, fontSize-1)
		axis.Tick.Label.XAlign, axis.Tick.Label.YAlign = align.XAlign, align.YAlign
		axis.Label.TextStyle = style(faint, fontSize)
	}
	return p
}

// newPanel draws one metric. Its scale holds the threshold and every value.
func newPanel(c Chart, panel Panel) *plot.Plot {
	p := newPlot(c)
	low, high := panel.Limit, panel.Limit
	for _, s := range panel.Spans {
		if s.State != Unknown {
			low, high = min(low, s.Value), max(high, s.Value)
		}
	}
	room := (high - low) * 0.3 // for the text beside a value that breaks the threshold
	if room == 0 {
		room = max(math.Abs(high)*0.1, 1e-9)
	}
	p.Y.Min, p.Y.Max = low-room, high+room
	if low >= 0 {
		p.Y.Min = max(0, p.Y.Min)
	}
	p.X.Tick.Marker = timeTicks{labels: false}
	p.Y.Tick.Marker = fewTicks{}
	p.Add(guides(c.Decisions), panelMarks(panel))
	return p
}

// panelMarks draws values and threshold.
type panelMarks Panel

func (m panelMarks) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	edge := c.Max.Y
	if m.AtLeast {
		edge = c.Min.Y
	}
	at := y(m.Limit)
	c.FillPolygon(shade, []vg.Point{{X: c.Min.X, Y: at}, {X: c.Max.X, Y: at}, {X: c.Max.X, Y: edge}, {X: c.Min.X, Y: edge}})
	c.StrokeLine2(line(limit, 1.2, 5, 3), c.Min.X, at, c.Max.X, at)
	label := style(limit, fontSize-1)
	label.YAlign = draw.YTop // on the side where few values are
	beyond := at - 1
	if !m.AtLeast {
		label.YAlign, beyond = draw.YBottom, at+2
	}
	c.FillText(label, vg.Point{X: c.Min.X + 4, Y: beyond}, m.LimitText)
	labelled := c.Min.X + 8 + label.Width(m.LimitText)

	crowded := len(m.Spans) > 80
	var said vg.Length // to where a value stands already
	for _, s := range m.Spans {
		from, to := x(float64(s.StartMS)), x(float64(s.EndMS))
		middle := vg.Point{X: (from + to) / 2, Y: y(s.Value)}
		switch s.State {
		case Unknown:
			question := style(ink, fontSize+1)
			question.XAlign = draw.XCenter
			c.FillText(question, vg.Point{X: middle.X, Y: c.Min.Y + 3}, "?")
			continue
		case Breaks:
			c.StrokeLine2(line(wrong, 2), from, middle.Y, to, middle.Y)
			cross(c, wrong, middle, 4.5)
			value := style(wrong, fontSize-1)
			value.YAlign = draw.YCenter
			beside, width := middle.X+9, value.Width(s.Text)
			if beside+width > c.Max.X {
				beside = middle.X - 9 - width
			}
			if near := math.Abs(float64(middle.Y-at)) < 2*fontSize; beside > said && (beside > labelled || !near) {
				c.FillText(value, vg.Point{X: beside, Y: middle.Y + 7}, s.Text)
				said = beside + width
			}
		default:
			c.StrokeLine2(line(ink, 2), from, middle.Y, to, middle.Y)
			if !crowded {
				disc(c, ink, middle, 2.6)
			}
		}
	}
}

// inside moves the centre of a text so that it does not leave the panel.
func inside(c draw.Canvas, x, width vg.Length) vg.Length {
	return min(max(x, c.Min.X+width/2), c.Max.X-width/2)
}

func line(color color.Color, width vg.Length, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: color, Width: width, Dashes: dashes}
}

func disc(c draw.Canvas, color role, at vg.Point, r vg.Length) {
	c.SetColor(color)
	c.Fill(circle(at, r))
}

func ring(c draw.Canvas, color role, at vg.Point, r vg.Length) {
	c.SetLineStyle(line(color, 1.4))
	c.Stroke(circle(at, r))
}

func circle(at vg.Point, r vg.Length) vg.Path {
	var p vg.Path
	p.Move(vg.Point{X: at.X + r, Y: at.Y})
	p.Arc(at, r, 0, 2*math.Pi)
	p.Close()
	return p
}

func cross(c draw.Canvas, color role, at vg.Point, r vg.Length) {
	c.StrokeLine2(line(color, 2), at.X-r, at.Y-r, at.X+r, at.Y+r)
	c.StrokeLine2(line(color, 2), at.X-r, at.Y+r, at.X+r, at.Y-r)
}
