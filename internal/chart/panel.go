package chart

import "math"

// A scale says where a value stands between the bottom and the top of a panel.
type scale struct{ low, high float64 }

// newScale holds the threshold and every value of p, with room around them for the
// text beside a value that breaks the threshold.
func newScale(p Panel) scale {
	low, high := within(p.Limit), within(p.Limit)
	for _, s := range p.Spans {
		if s.State != Unknown {
			low, high = min(low, within(s.Value)), max(high, within(s.Value))
		}
	}
	room := (high - low) * 0.3
	if room == 0 {
		room = max(math.Abs(high)*0.1, 1e-9)
	}
	s := scale{low - room, high + room}
	if low >= 0 {
		s.low = max(0, s.low)
	}
	return s
}

// within keeps the sums of values finite.
func within(v float64) float64 { return min(max(v, -1e300), 1e300) }

// in returns where a value stands in b.
func (s scale) in(b box) func(float64) float64 {
	return func(v float64) float64 {
		return b.bottom - (within(v)-s.low)/(s.high-s.low)*(b.bottom-b.top)
	}
}

// heading says above a panel what it shows.
func (d *drawing) heading(b box, name, rule string) {
	d.text(ink, fontSize+1, start, margin, b.top-12, name)
	d.text(faint, fontSize, start, margin+textWidth(name, fontSize+1)+8, b.top-12, rule)
}

// frame draws the two axes of a panel and their ticks; labelled says whether the
// times stand below.
func (d *drawing) frame(b box, x times, values []tick, y func(float64) float64, labelled bool) {
	d.line(faint, 0.5, b.left, b.bottom, b.right, b.bottom)
	for _, t := range x.ticks() {
		at := x.at(t.ms)
		d.line(faint, 0.5, at, b.bottom, at, b.bottom+tickLength)
		if labelled {
			d.text(faint, fontSize-1, middle, box{left: margin, right: b.right}.inside(at, textWidth(t.label, fontSize-1)), b.bottom+tickLength+fontSize, t.label)
		}
	}
	if len(values) > 0 {
		d.line(faint, 0.5, b.left, b.top, b.left, b.bottom)
	}
	for _, t := range values {
		at := y(t.value)
		d.line(faint, 0.5, b.left-tickLength, at, b.left, at)
		d.text(faint, fontSize-1, end, b.left-tickLength-3, at+3.5, t.label)
	}
}

// panel draws values and threshold.
func (d *drawing) panel(b box, x times, s scale, p Panel) {
	y := s.in(b)
	at := y(p.Limit)
	labelled := b.left + 8 + textWidth(p.LimitText, fontSize-1)
	if p.AtLeast {
		d.rect(shade, b.left, at, b.right, b.bottom)
	} else {
		d.rect(shade, b.left, b.top, b.right, at)
	}
	d.line(limit, 1.2, b.left, at, b.right, at, 5, 3)
	beyond := at - 4 // the label stands on the side where few values are
	if p.AtLeast {
		beyond = at + fontSize
	}
	d.text(limit, fontSize-1, start, b.left+4, beyond, p.LimitText)

	crowded := len(p.Spans) > 80
	var said float64 // to where a value stands already
	for _, v := range p.Spans {
		from, to, level := x.at(v.StartMS), x.at(v.EndMS), y(v.Value)
		center := (from + to) / 2
		switch v.State {
		case Unknown:
			d.text(ink, fontSize+1, middle, center, b.bottom-4, "?")
		case Breaks:
			d.line(wrong, 2, from, level, to, level)
			d.cross(wrong, center, level, 4.5)
			beside, wide := center+9, textWidth(v.Text, fontSize-1)
			if beside+wide > b.right {
				beside = center - 9 - wide
			}
			if near := math.Abs(level-at) < 2*fontSize; beside > said && (beside > labelled || !near) {
				d.text(wrong, fontSize-1, start, beside, level-4, v.Text)
				said = beside + wide
			}
		default:
			d.line(ink, 2, from, level, to, level)
			if !crowded {
				d.disc(ink, center, level, 2.6)
			}
		}
	}
}

// inside moves the centre of a text so that it does not leave the panel.
func (b box) inside(x, wide float64) float64 {
	return min(max(x, b.left+wide/2), b.right-wide/2)
}
