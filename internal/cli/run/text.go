package run

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/rundir"
)

// textWidth is the width of a terminal that nobody has made wider.
const textWidth = 80

// runText writes a run in lines of at most textWidth characters.
func runText(r rundir.Run) string {
	var w strings.Builder
	title := "run " + r.ID
	if r.Product != nil {
		title = escape.Line(*r.Product) + ", " + title
	}
	writeFolded(&w, "", title+": "+orElse(r.Outcome, "not ended"))
	if r.Error != nil {
		writeFolded(&w, "  why       ", escape.Line(*r.Error))
	}
	if r.Started != nil {
		writeFolded(&w, "  started   ", r.Started.Format(time.RFC3339)+" by "+escape.Line(orElse(r.Actor, "nobody")))
	}
	if r.Outcome != nil {
		writeFolded(&w, "  took      ", took(r.Usage))
	}
	if r.Source != nil {
		commit := escape.Line(r.Source.Commit)
		if r.Source.Dirty != nil && *r.Source.Dirty {
			commit += " with changes"
		}
		writeFolded(&w, "  commit    ", commit)
	}
	if job := r.CI; job != nil {
		writeFolded(&w, "  job       ", escape.Line(job.System)+" "+escape.Line(orElse(job.Run, "")))
		if job.URL != nil {
			writeFolded(&w, "            ", escape.Line(*job.URL))
		}
	}
	writeSteps(&w, r)
	writeCritical(&w, r.Critical)
	for _, f := range r.Findings {
		writeFolded(&w, "  "+string(f.Code)+" ", findingText(f))
	}
	return w.String()
}

func took(u rundir.Usage) string {
	var more []string
	for _, m := range []struct {
		name  string
		value *canon.Decimal
		show  func(*canon.Decimal) string
	}{{"CPU", u.CPUUser, showSeconds}, {"system", u.CPUSys, showSeconds}, {"memory", u.PeakMem, showBytes}} {
		if m.value != nil {
			more = append(more, m.name+" "+m.show(m.value))
		}
	}
	if len(more) == 0 {
		return showSeconds(u.Makespan)
	}
	return showSeconds(u.Makespan) + " (" + strings.Join(more, ", ") + ")"
}

func findingText(f finding.Finding) string {
	text := escape.Line(f.Text)
	if f.K != nil {
		text = fmt.Sprintf("event %d: %s", *f.K, text)
	}
	if f.Path != nil {
		text = escape.Line(*f.Path) + ": " + text
	}
	return text
}

// stepRow is one line of the table: status, time, CPU, peak memory, log, files in
// and out, and the step, last since it may be long.
const stepRow = "%s %-7s %8s %8s %8s %8s %3s %3s  "

func writeSteps(w *strings.Builder, r rundir.Run) {
	critical := map[string]bool{}
	if r.Critical != nil {
		for _, id := range r.Critical.Steps {
			critical[id] = true
		}
	}
	if len(r.Steps) > 0 {
		fmt.Fprintf(w, stepRow+"%s\n", " ", "status", "time", "cpu", "memory", "log", "in", "out", "step")
	}
	for _, s := range r.Steps {
		mark, log := " ", "-"
		if critical[s.ID] {
			mark = "*"
		}
		if s.Log != nil {
			log = scaled(s.Log.Size)
		}
		row := fmt.Sprintf(stepRow, mark, escape.Line(orElse(s.Status, "running")), showSeconds(s.Makespan), showSeconds(cpu(s.Usage)), showBytes(s.PeakMem), log,
			strconv.Itoa(s.Inputs), strconv.Itoa(s.Outputs))
		id := escape.Line(s.ID)
		if utf8.RuneCountInString(row+id) > textWidth {
			fmt.Fprintln(w, strings.TrimRight(row, " "))
			row = "          "
		}
		writeFolded(w, row, id)
		if s.Error != nil {
			writeFolded(w, "          ", escape.Line(*s.Error))
		}
	}
}

func writeCritical(w *strings.Builder, p *rundir.Path) {
	if p == nil {
		return
	}
	ids := make([]string, len(p.Steps))
	for i, id := range p.Steps {
		ids[i] = escape.Line(id)
	}
	writeFolded(w, "critical path, "+showSeconds(&p.Makespan)+": ", strings.Join(ids, " -> "))
}

// writeFolded writes text after prefix, and what does not fit into the line into
// lines of its own, below where the text began; a word that is too long is cut.
func writeFolded(w *strings.Builder, prefix, text string) {
	room := textWidth - utf8.RuneCountInString(prefix)
	for line := range fold(text, room) {
		fmt.Fprintln(w, strings.TrimRight(prefix+line, " "))
		prefix = strings.Repeat(" ", utf8.RuneCountInString(prefix))
	}
}

// fold cuts text into lines of at most width characters, between words where it can.
func fold(text string, width int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		rest := []rune(text)
		for len(rest) > width {
			end, next := width, width
			for i := width; i > 0; i-- {
				if rest[i] == ' ' {
					end, next = i, i+1
					break
				}
			}
			if !yield(string(rest[:end])) {
				return
			}
			rest = rest[next:]
		}
		yield(string(rest))
	}
}

func orElse(s *string, otherwise string) string {
	if s == nil {
		return otherwise
	}
	return *s
}

// cpu returns the time that the processors spent on it, nil if it is not known.
func cpu(u rundir.Usage) *canon.Decimal {
	if u.CPUUser == nil || u.CPUSys == nil {
		return nil
	}
	sum, err := canon.ImportDecimal(new(big.Rat).Add(u.CPUUser.Rat(), u.CPUSys.Rat()).FloatString(6))
	if err != nil {
		return nil
	}
	return &sum
}

// showSeconds returns a time in a form for people: 0.05 s, 12.3 s, 3m21s.
func showSeconds(d *canon.Decimal) string {
	if d == nil {
		return "-"
	}
	s, _ := d.Rat().Float64()
	switch {
	case s < 0 || s >= 1e9:
		return "?"
	case s < 10:
		return fmt.Sprintf("%.2f s", s)
	case s < 100:
		return fmt.Sprintf("%.1f s", s)
	}
	return time.Duration(s * float64(time.Second)).Round(time.Second).String()
}

func showBytes(d *canon.Decimal) string {
	if d == nil {
		return "-"
	}
	n, err := strconv.ParseInt(string(*d), 10, 64)
	if err != nil || n < 0 {
		return "?"
	}
	return scaled(n)
}

// scaled returns a number of bytes in three digits or so.
func scaled(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	v, i := float64(n), 0
	for v >= 1000 && i < len(units)-1 {
		v /= 1024
		i++
	}
	if i == 0 || v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[i])
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}
