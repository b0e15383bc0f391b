package chart

import "fmt"

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
func (d *drawing) guides(b box, x times, decisions []Decision) {
	for _, c := range changes(decisions) {
		at := x.at(c.AtMS)
		d.line(faint, 0.8, at, b.top, at, b.bottom, 1.5, 3)
	}
}

// decisions draws in the last panel what was decided when, and by what.
func (d *drawing) decisions(b box, x times, c Chart) {
	up := func(part float64) float64 { return b.bottom - part*(b.bottom-b.top) }
	if e := c.Evidence; e != nil {
		from, to := x.at(e.StartMS), x.at(e.EndMS)
		d.rect(band, from, up(0.30), to, up(0.04))
		d.text(ink, fontSize-1, middle, b.inside((from+to)/2, textWidth(e.Text, fontSize-1)), up(0.17)+3.5, e.Text)
	}
	level := up(0.5)
	all := len(c.Decisions) <= 80
	if all {
		for _, m := range c.Decisions {
			d.mark(m.Shape, x.at(m.AtMS), level)
		}
	}
	row, ends := 0, [2]float64{} // two rows of names, so that near ones do not touch
	for _, m := range changes(c.Decisions) {
		at := x.at(m.AtMS)
		if !all {
			d.mark(m.Shape, at, level)
		}
		wide := textWidth(m.Name, fontSize-1)
		center := b.inside(at, wide)
		if row = 0; center-wide/2 < ends[0]+4 {
			row = 1
		}
		if center-wide/2 < ends[row]+4 && ends[row] > 0 {
			continue // its shape says it
		}
		ends[row] = center + wide/2
		d.text(ink, fontSize-1, middle, center, up(0.63+0.2*float64(row)), m.Name)
	}
}

// mark draws the shape of a decision.
func (d *drawing) mark(s Shape, x, y float64) {
	switch s {
	case Triangle:
		fmt.Fprintf(d, `<path class="f-%s" d="M%s %sL%s %sL%s %sZ"/>`+"\n", limit, number(x-5), number(y+4), number(x+5), number(y+4), number(x), number(y-5))
	case Cross:
		d.cross(wrong, x, y, 4.5)
	case Question:
		d.text(ink, fontSize+2, middle, x, y+4.5, "?")
	default:
		d.ring(ink, x, y, 3)
	}
}

// legend says what the marks mean.
func (d *drawing) legend(x, y float64) {
	entry := func(draw func(x, y float64), words string) {
		draw(x+5, y-4)
		d.text(faint, fontSize, start, x+15, y, words)
		x += 31 + textWidth(words, fontSize)
	}
	entry(func(x, y float64) { d.disc(ink, x, y, 2.6) }, "holds")
	entry(func(x, y float64) { d.cross(wrong, x, y, 4) }, "breaks its threshold")
	entry(func(x, y float64) { d.mark(Question, x, y) }, "unknown")
	entry(func(x, y float64) { d.line(limit, 1.2, x-6, y, x+6, y, 4, 2) }, "threshold")
	entry(func(x, y float64) { d.mark(Ring, x, y) }, "HOLD")
	entry(func(x, y float64) { d.mark(Triangle, x, y) }, "PROMOTE")
	entry(func(x, y float64) { d.mark(Cross, x, y) }, "ROLLBACK")
	entry(func(x, y float64) { d.mark(Question, x, y) }, "UNDECIDABLE")
}
