package chart

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
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

// RGBA makes a role a color.Color, which the canvas takes back as a role.
func (role) RGBA() (r, g, b, a uint32) { return 0, 0, 0, 0xffff }

// A canvas is a vg.Canvas that writes SVG elements with classes in place of
// colours. Turning and scaling are not needed here.
type canvas struct {
	width, height vg.Length
	body          bytes.Buffer
	now           pen
	before        []pen
	err           error
}

type pen struct {
	color role
	width vg.Length
	dash  []vg.Length
	shift vg.Point
}

func newCanvas(width, height vg.Length) *canvas {
	return &canvas{width: width, height: height, now: pen{color: ink, width: 1}}
}

func (c *canvas) Size() (vg.Length, vg.Length)                      { return c.width, c.height }
func (c *canvas) SetLineWidth(w vg.Length)                          { c.now.width = w }
func (c *canvas) SetLineDash(pattern []vg.Length, offset vg.Length) { c.now.dash = pattern }
func (c *canvas) Push()                                             { c.before = append(c.before, c.now) }
func (c *canvas) Rotate(float64)                                    { c.err = errors.New("chart: nothing is turned") }
func (c *canvas) Scale(x, y float64)                                { c.err = errors.New("chart: nothing is scaled") }
func (c *canvas) DrawImage(vg.Rectangle, image.Image) {
	c.err = errors.New("chart: there are no images")
}
func (c *canvas) Translate(by vg.Point) { c.now.shift = c.now.shift.Add(by) }

func (c *canvas) Pop() {
	last := len(c.before) - 1
	c.now, c.before = c.before[last], c.before[:last]
}

func (c *canvas) SetColor(to color.Color) {
	c.now.color = ink
	if r, ok := to.(role); ok {
		c.now.color = r
	}
}

func (c *canvas) Stroke(p vg.Path) {
	if c.now.width <= 0 {
		return
	}
	dash := ""
	if len(c.now.dash) > 0 {
		lengths := make([]string, len(c.now.dash))
		for i, l := range c.now.dash {
			lengths[i] = number(l)
		}
		dash = fmt.Sprintf(` stroke-dasharray="%s"`, strings.Join(lengths, " "))
	}
	fmt.Fprintf(&c.body, `<path class="s-%s" stroke-width="%s"%s d="%s"/>`+"\n", c.now.color, number(c.now.width), dash, c.path(p))
}

func (c *canvas) Fill(p vg.Path) {
	fmt.Fprintf(&c.body, `<path class="f-%s" d="%s"/>`+"\n", c.now.color, c.path(p))
}

func (c *canvas) FillString(f font.Face, at vg.Point, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	x, y := c.place(at)
	// The length keeps the layout where another font stands in.
	fmt.Fprintf(&c.body, `<text class="f-%s" font-size="%s" x="%s" y="%s" textLength="%s" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
		c.now.color, number(f.Font.Size), x, y, number(f.Width(text)), escape(text))
}

// place turns a point whose y grows upwards into one of SVG.
func (c *canvas) place(p vg.Point) (x, y string) {
	p = p.Add(c.now.shift)
	return number(p.X), number(c.height - p.Y)
}

func (c *canvas) path(p vg.Path) string {
	var d strings.Builder
	to := func(op string, at vg.Point) {
		x, y := c.place(at)
		fmt.Fprintf(&d, "%s%s %s", op, x, y)
	}
	for _, step := range p {
		switch step.Type {
		case vg.MoveComp:
			to("M", step.Pos)
		case vg.LineComp:
			to("L", step.Pos)
		case vg.CloseComp:
			d.WriteString("Z")
		case vg.ArcComp: // in two halves: SVG cannot draw a whole circle at once
			at := func(angle float64) vg.Point {
				sin, cos := math.Sincos(angle)
				return vg.Point{X: step.Pos.X + step.Radius*vg.Length(cos), Y: step.Pos.Y + step.Radius*vg.Length(sin)}
			}
			if d.Len() == 0 {
				to("M", at(step.Start))
			}
			sweep := "0"
			if step.Angle < 0 {
				sweep = "1"
			}
			for _, part := range []float64{0.5, 1} {
				r := number(step.Radius)
				to(fmt.Sprintf("A%s %s 0 0 %s ", r, r, sweep), at(step.Start+part*step.Angle))
			}
		default:
			c.err = fmt.Errorf("chart: a path has a step of kind %d", step.Type)
		}
	}
	return d.String()
}

// number has as many digits as the eye can see, the same on every machine.
func number(l vg.Length) string {
	s := strconv.FormatFloat(float64(l), 'f', 2, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
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
