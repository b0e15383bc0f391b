package recipes

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const gatesPage = repository + "/docs/gates.md"

// The marks of that page: a block is a file in the folder that all share, is run
// there and ends with 0 or the code that is named, or is what the run before it prints.
var gatesMark = regexp.MustCompile(`^<!-- (?:file: ([a-z.]+)|(run)(?:: exit (\d))?|out) -->$`)

// TestGatesPage runs the page from its first block to its last.
func TestGatesPage(t *testing.T) {
	need(t, "bash", "jq", "sed", "tail")
	dir := t.TempDir()
	copyFile(t, filepath.Join(dir, "cases.json"), filepath.Join(repository, "testdata", "gates", "cases.json"))
	relseal(t)
	printed, runs := "", 0
	for _, b := range blocks(t, gatesPage) {
		m := gatesMark.FindStringSubmatch(b.before)
		switch {
		case m == nil:
			t.Fatalf("%s:%d: the block is no file, is not run, and is not what a run prints", gatesPage, b.line)
		case m[1] != "":
			if err := os.WriteFile(filepath.Join(dir, m[1]), []byte(b.text), 0o644); err != nil {
				t.Fatal(err)
			}
		case m[2] == "":
			if printed != b.text {
				t.Errorf("%s:%d: the block before prints\n%s\nnot\n%s", gatesPage, b.line, printed, b.text)
			}
		default:
			e := execute(t, dir, nil, "bash", "-euo", "pipefail", "-c", b.text)
			want := 0
			if m[3] != "" {
				want = int(m[3][0] - '0')
			}
			if e.code != want {
				t.Fatalf("%s:%d: exit %d of\n%s\n%s", gatesPage, b.line, e.code, b.text, e)
			}
			printed, runs = e.stdout, runs+1
		}
	}
	if runs < 9 {
		t.Errorf("only %d blocks were run", runs)
	}
	if svg, err := os.ReadFile(filepath.Join(dir, "gate.svg")); err != nil || !strings.HasPrefix(string(svg), "<svg ") {
		t.Errorf("the drawing is %.20q, %v", svg, err)
	}
}

// TestGatesTable computes what the page says the literal mode costs.
func TestGatesTable(t *testing.T) {
	data, err := os.ReadFile(gatesPage)
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| ([1-9]) \| (.*) \|$`).FindAllStringSubmatch(string(data), -1)
	if len(rows) != 4 {
		t.Fatalf("the page has %d rows", len(rows))
	}
	for _, row := range rows {
		k, _ := strconv.ParseFloat(row[1], 64)
		below := math.Erfc(k/math.Sqrt2) / 2
		for i, cell := range strings.Split(row[2], " | ") {
			windows := []float64{1, 10, 30, 288}[i]
			percent := -100 * math.Expm1(windows*math.Log1p(-below))
			want := strconv.FormatFloat(percent, 'g', 3, 64) + " %"
			if percent > 99.95 {
				want = "> 99.9 %"
			}
			if cell != want {
				t.Errorf("k = %v, %v windows: the page says %s, it is %s", k, windows, cell, want)
			}
		}
	}
	for checks, want := range map[float64]string{12: "0.2 %", 60: "35 %", 288: "practically always"} {
		atMost := 0.0
		for failed := range 4 {
			ways := 1.0
			for i := range failed {
				ways *= (checks - float64(i)) / float64(i+1)
			}
			atMost += ways * math.Pow(0.05, float64(failed)) * math.Pow(0.95, checks-float64(failed))
		}
		got := strconv.FormatFloat(100*(1-atMost), 'g', map[float64]int{12: 1, 60: 2, 288: 4}[checks], 64) + " %"
		if got == "99.97 %" {
			got = "practically always"
		}
		if got != want || !strings.Contains(string(data), want) {
			t.Errorf("%v checks: %s, the page says %s", checks, got, want)
		}
	}
}
