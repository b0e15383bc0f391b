package chart

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A role is a colour by its meaning; the style sheet says what it looks like in
// either scheme.
type role string

const (
	ink   role = "ink"   // text, values
	faint role = "faint" // axes, guides
	limit role = "limit" // thresholds
	wrong role = "wrong" // what breaks them
	shade role = "shade" // the side of a threshold where values break it
	band  role = "band"  // evidence
)

// The sizes of a drawing, in units of SVG.
const (
	width       = 840
	panelHeight = 80
	titleSpace  = 64 // title and legend
	nameSpace   = 36 // above each panel
	axisSpace   = 20 // below the last one, for the times
	margin      = 12
	tickLength  = 6
	fontSize    = 11
)

// A box is the place of one panel.
type box struct{ left, top, right, bottom float64 }

// SVG draws c.
func SVG(c Chart) []byte {
	rows := len(c.Panels) + 1
	height := titleSpace + rows*(panelHeight+nameSpace) + axisSpace + margin
	scales, left := make([]scale, len(c.Panels)), 0.0
	for i, p := range c.Panels {
		scales[i] = newScale(p)
		for _, t := range scales[i].ticks() {
			left = max(left, textWidth(t.label, fontSize-1))
		}
	}
	left += margin + tickLength + 3
	place := func(row int) box {
		top := float64(titleSpace + nameSpace + row*(panelHeight+nameSpace))
		return box{left, top, width - 2*margin, top + panelHeight}
	}

	var d drawing
	d.text(ink, fontSize+4, start, margin, 24, c.Title)
	d.legend(margin, 46)
	times := newTimes(c, place(0))
	for i, p := range c.Panels {
		b := place(i)
		d.heading(b, p.Name, p.Rule)
		d.guides(b, times, c.Decisions)
		d.panel(b, times, scales[i], p)
		d.frame(b, times, scales[i].ticks(), scales[i].in(b), false)
	}
	last := place(rows - 1)
	d.heading(last, "decision", "at the end of each window")
	d.guides(last, times, c.Decisions)
	d.decisions(last, times, c)
	d.frame(last, times, nil, nil, true)
	return document(c, height, d.Bytes())
}

// document puts the parts that are not drawn around what is.
func document(c Chart, height int, body []byte) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title desc">`+"\n", width, height, width, height)
	fmt.Fprintf(&out, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", escape(c.Title), escape(strings.TrimRight(c.Description, "\n")))
	fmt.Fprintf(&out, "<style>\n%s\n%s\n@media (prefers-color-scheme: dark) {\n%s\n}\n</style>\n", common, scheme(light), scheme(dark))
	fmt.Fprintf(&out, `<rect class="f-paper" width="%d" height="%d"/>`+"\n", width, height)
	out.Write(body)
	out.WriteString("</svg>\n")
	return out.Bytes()
}

const common = `text { font-family: "Liberation Sans", Arial, Helvetica, sans-serif; white-space: pre }`

// The colours of each scheme. Text and marks have a contrast of 4.5 and more to
// the paper; chart_test.go holds that.
var (
	light = map[role]string{"paper": "#ffffff", ink: "#1b1f24", faint: "#59636e", limit: "#0550ae", wrong: "#b3261e", shade: "#f9e3e1", band: "#dbe6f5"}
	dark  = map[role]string{"paper": "#14181d", ink: "#e6eaef", faint: "#98a3af", limit: "#79b8ff", wrong: "#ff8f87", shade: "#3a2022", band: "#22344d"}
)

func scheme(colors map[role]string) string {
	var lines []string
	for _, r := range []role{"paper", ink, faint, limit, wrong, shade, band} {
		lines = append(lines, fmt.Sprintf(".f-%s { fill: %s } .s-%s { fill: none; stroke: %s }", r, colors[r], r, colors[r]))
	}
	return strings.Join(lines, "\n")
}

// A drawing is the elements that were drawn so far.
type drawing struct{ bytes.Buffer }

// line draws one line; dashes are the lengths of a dash and of the gap after it.
func (d *drawing) line(r role, thick, x1, y1, x2, y2 float64, dashes ...float64) {
	dash := ""
	if len(dashes) > 0 {
		dash = fmt.Sprintf(` stroke-dasharray="%s %s"`, number(dashes[0]), number(dashes[1]))
	}
	fmt.Fprintf(d, `<path class="s-%s" stroke-width="%s"%s d="M%s %sL%s %s"/>`+"\n", r, number(thick), dash, number(x1), number(y1), number(x2), number(y2))
}

func (d *drawing) rect(r role, left, top, right, bottom float64) {
	fmt.Fprintf(d, `<rect class="f-%s" x="%s" y="%s" width="%s" height="%s"/>`+"\n", r, number(left), number(top), number(right-left), number(bottom-top))
}

func (d *drawing) disc(r role, x, y, radius float64) {
	fmt.Fprintf(d, `<circle class="f-%s" cx="%s" cy="%s" r="%s"/>`+"\n", r, number(x), number(y), number(radius))
}

func (d *drawing) ring(r role, x, y, radius float64) {
	fmt.Fprintf(d, `<circle class="s-%s" stroke-width="1.4" cx="%s" cy="%s" r="%s"/>`+"\n", r, number(x), number(y), number(radius))
}

func (d *drawing) cross(r role, x, y, arm float64) {
	d.line(r, 2, x-arm, y-arm, x+arm, y+arm)
	d.line(r, 2, x-arm, y+arm, x+arm, y-arm)
}

// An anchor says which point of a text is placed.
type anchor string

const (
	start  anchor = "start"
	middle anchor = "middle"
	end    anchor = "end"
)

// text writes a line whose letters stand on y.
func (d *drawing) text(r role, size float64, a anchor, x, y float64, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	// The length keeps the layout where another font stands in.
	fmt.Fprintf(d, `<text class="f-%s" font-size="%s" text-anchor="%s" x="%s" y="%s" textLength="%s" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
		r, number(size), a, number(x), number(y), number(textWidth(text, size)), escape(text))
}

// advances are how wide the printable characters of ASCII are in thousandths of the
// font's size, in Liberation Sans, Arial and Helvetica alike.
var advances = [...]uint16{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
	667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
	556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}

// textWidth takes letters of Europe for as wide as a digit, and all further ones for
// as wide as they are high.
func textWidth(text string, size float64) float64 {
	sum := 0
	for _, r := range text {
		switch {
		case r >= ' ' && int(r-' ') < len(advances):
			sum += int(advances[r-' '])
		case r < 0x530:
			sum += 556
		default:
			sum += 1000
		}
	}
	return float64(sum) * size / 1000
}

// number has as many digits as the eye can see, the same on every machine.
func number(v float64) string {
	v = math.Round(v*100) / 100
	if v == 0 {
		return "0" // and not -0
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// escape writes text as XML can hold it, control characters as spaces.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
