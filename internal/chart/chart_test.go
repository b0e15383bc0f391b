package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func sample() Chart {
	return Chart{
		Title: `HOLD <canary> & "more"`, Description: "first line\nsecond \x1b[31m line\n", FromMS: 0, ToMS: 180_000,
		Panels: []Panel{
			{Name: "score", Rule: ">= 0.95", Limit: 0.95, LimitText: "tau_score 0.95", AtLeast: true, Spans: []Span{
				{0, 60_000, 0.97, Holds, "0.97"}, {60_000, 120_000, 0.94, Breaks, "0.94"}, {120_000, 180_000, 0, Unknown, ""},
			}},
			{Name: "flat", Rule: "<= 0", Limit: 0, LimitText: "0", Spans: []Span{{0, 180_000, 0, Holds, "0"}}},
		},
		Decisions: []Decision{{60_000, "HOLD", Ring}, {120_000, "ROLLBACK", Cross}, {150_000, "PROMOTE", Triangle}, {180_000, "UNDECIDABLE", Question}},
		Evidence:  &Range{0, 60_000, "evidence"},
	}
}

func drawn(t *testing.T, c Chart) string {
	t.Helper()
	data := SVG(c)
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.Token(); err == io.EOF {
			return string(data)
		} else if err != nil {
			t.Fatalf("not XML: %v\n%s", err, data)
		}
	}
}

func TestSVG(t *testing.T) {
	svg := drawn(t, sample())
	if again := drawn(t, sample()); again != svg {
		t.Error("the same data give another drawing")
	}
	for _, want := range []string{
		`role="img" aria-labelledby="title desc"`,
		`<title id="title">HOLD &lt;canary&gt; &amp; &quot;more&quot;</title>`,
		"<desc id=\"desc\">first line\nsecond  [31m line</desc>",
		"@media (prefers-color-scheme: dark)",
		">score</text>", ">tau_score 0.95</text>", ">0.94</text>", ">evidence</text>", ">HOLD</text>", ">ROLLBACK</text>", ">UNDECIDABLE</text>",
		`stroke-dasharray="5 3"`, ">1970-01-01 00:00:00</text>",
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("there is no %s", want)
		}
	}
	// Colours come from the style sheet alone, so that one scheme can replace another.
	_, body, _ := strings.Cut(svg, "</style>")
	if m := regexp.MustCompile(`#[0-9a-f]{3,6}|rgb|style=`).FindString(body); m != "" {
		t.Errorf("a colour is fixed: %s", m)
	}
	if m := regexp.MustCompile(`NaN|Inf|--`).FindString(body); m != "" {
		t.Errorf("a coordinate is %s", m)
	}
}

// The drawing of a sample is frozen: whoever changes it looks at it first.
func TestGolden(t *testing.T) {
	want, err := os.ReadFile("testdata/sample.svg")
	if err != nil {
		t.Fatal(err)
	}
	if got := drawn(t, sample()); got != string(want) {
		t.Errorf("the drawing is another one than testdata/sample.svg:\n%s", got)
	}
}

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		low, high float64
		want      string
	}{
		{0, 1, "0 0.5 1"},
		{0.9, 1.05, "0.9 0.95 1 1.05"},
		{0.999999, 1.0000001, "0.999999 0.9999995 1"},
		{-3, 3, "-2 0 2"},
		{0, 1e300, "0 5e+299 1e+300"},
		{0, 2.4e-9, "0 1e-09 2e-09"},
		{1, math.Nextafter(1, 2), "1"},
	} {
		var labels []string
		for _, tick := range (scale{tt.low, tt.high}).ticks() {
			labels = append(labels, tick.label)
		}
		if got := strings.Join(labels, " "); got != tt.want {
			t.Errorf("%g to %g: %s, want %s", tt.low, tt.high, got, tt.want)
		}
	}
}

// Without colours each state has a mark of its own: taking one away takes its mark.
func TestMarks(t *testing.T) {
	count := func(state State) (discs, crosses, questions int) {
		c := sample()
		c.Panels[0].Spans[0].State = state
		c.Decisions = nil
		svg := drawn(t, c)
		return strings.Count(svg, `<circle class="f-ink"`), strings.Count(svg, `class="s-wrong"`), strings.Count(svg, ">?</text>")
	}
	discs, crosses, questions := count(Holds)
	if d, x, q := count(Breaks); d != discs-1 || x != crosses+3 || q != questions {
		t.Errorf("breaks: %d %d %d, holds: %d %d %d", d, x, q, discs, crosses, questions)
	}
	if d, x, q := count(Unknown); d != discs-1 || x != crosses || q != questions+1 {
		t.Errorf("unknown: %d %d %d, holds: %d %d %d", d, x, q, discs, crosses, questions)
	}
}

// Few data, many and extreme ones are drawn too.
func TestEdges(t *testing.T) {
	c := sample()
	c.FromMS, c.ToMS, c.Panels, c.Decisions, c.Evidence = 5, 5, nil, nil, nil
	drawn(t, c)
	for _, span := range []int64{1, 999, 7 * 3_600_000, 9_000_000_000_000} {
		c := sample()
		c.ToMS = span
		for i := range int64(500) {
			c.Panels[1].Spans = append(c.Panels[1].Spans, Span{span * i / 500, span * (i + 1) / 500, math.Pow(10, float64(i%80)-40), State(i % 3), "1"})
			c.Decisions = append(c.Decisions, Decision{span * i / 500, fmt.Sprint(i % 4), Shape(i % 4)})
		}
		svg := drawn(t, c)
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("span %d has coordinates that are none", span)
		}
		if n := len(times{to: span}.ticks()); n > 10 {
			t.Errorf("span %d has %d ticks", span, n)
		}
	}
}

// Text and marks stand out against what is behind them, as WCAG 2.2 asks of small
// text: 4.5 to 1.
func TestContrast(t *testing.T) {
	for name, colors := range map[string]map[role]string{"light": light, "dark": dark} {
		for _, front := range []role{ink, faint, limit, wrong} {
			for _, back := range []role{"paper", shade, band} {
				if back == band && front != ink || back == shade && front == faint {
					continue // do not meet
				}
				if c := contrast(colors[front], colors[back]); c < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.2f", name, front, back, c)
				}
			}
		}
	}
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(hex string) float64 {
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			panic(err)
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}
