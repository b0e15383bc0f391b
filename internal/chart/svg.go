package chart

import (
	"bytes"
	"fmt"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The sizes of a drawing, in units of SVG.
const (
	width       = 840
	panelHeight = 84
	titleSpace  = 64 // title and legend
	nameSpace   = 26 // above each panel
	margin      = 12
	fontSize    = 11
)

// SVG draws c.
func SVG(c Chart) ([]byte, error) {
	rows := len(c.Panels) + 1
	height := titleSpace + rows*(panelHeight+nameSpace) + margin
	out := newCanvas(width, vg.Length(height))
	all := draw.New(out)

	plots := make([][]*plot.Plot, rows)
	for i, p := range c.Panels {
		plots[i] = []*plot.Plot{newPanel(c, p)}
	}
	plots[rows-1] = []*plot.Plot{newDecisions(c)}
	tiles := draw.Tiles{
		Rows: rows, Cols: 1, PadTop: titleSpace + nameSpace, PadY: nameSpace,
		PadLeft: margin, PadRight: 2 * margin, PadBottom: margin,
	}
	placed := plot.Align(plots, tiles, all)
	for i := range plots {
		plots[i][0].Draw(placed[i][0])
		name, rule := "decision", "at the end of each window"
		if i < len(c.Panels) {
			name, rule = c.Panels[i].Name, c.Panels[i].Rule
		}
		at := vg.Point{X: margin, Y: placed[i][0].Max.Y + 6}
		strong := style(ink, fontSize+1)
		all.FillText(strong, at, name)
		at.X += strong.Width(name) + 8
		all.FillText(style(faint, fontSize), at, rule)
	}
	top := vg.Length(height)
	all.FillText(style(ink, fontSize+4), vg.Point{X: margin, Y: top - 24}, c.Title)
	legend(all, vg.Point{X: margin, Y: top - 46})
	if out.err != nil {
		return nil, out.err
	}
	return document(c, height, out.body.Bytes()), nil
}

// style is a text style. The metrics are those of Liberation Sans, which Arial and
// Helvetica share.
func style(color role, size vg.Length) draw.TextStyle {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	return draw.TextStyle{Color: color, Font: f, Handler: text.Plain{Fonts: font.DefaultCache}}
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
