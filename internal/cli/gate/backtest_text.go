package gate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
)

// backtestText shows the releases, points that say the same in one row, and what
// they came to.
func backtestText(r backtested) string {
	var w strings.Builder
	two := r.Against != nil
	for _, one := range r.Releases {
		fmt.Fprintf(&w, "%s%s, %s\n", r.Channel, ofRelease(pointer(one.Release)), ui.Counted(one.Windows, "window"))
		head := []string{"  from", "to", "ends", escape.Line(r.names[0])}
		if two {
			head = append(head, escape.Line(r.names[1]))
		}
		w.WriteString(aligned(append([][]string{head}, one.table()...)))
	}
	w.WriteString(totals(escape.Line(r.names[0]), r.Releases, func(one backtestedOnes) backtestedRun { return one.Policy }))
	if two {
		w.WriteString(totals(escape.Line(r.names[1]), r.Releases, func(one backtestedOnes) backtestedRun { return *one.Against }))
		points, differ := 0, 0
		for _, one := range r.Releases {
			points, differ = points+len(one.ends), differ+one.Differs
		}
		fmt.Fprintf(&w, "%d of %s differ\n", differ, ui.Counted(points, "decision"))
	}
	return w.String()
}

func pointer(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// table has a row for each stretch of points that say the same.
func (one backtestedOnes) table() [][]string {
	var rows [][]string
	count := 0
	for i, end := range one.ends {
		says := []string{one.Policy.says(i)}
		if one.Against != nil {
			says = append(says, one.Against.says(i))
		}
		if last := len(rows) - 1; last >= 0 && strings.Join(rows[last][3:], "\n") == strings.Join(says, "\n") {
			count++
			rows[last][1], rows[last][2] = clockText(end), strconv.Itoa(count)
			continue
		}
		count = 1
		rows = append(rows, append([]string{"  " + clockText(end), clockText(end), "1"}, says...))
	}
	return rows
}

// says is a decision with its reasons; of what would be over, nothing.
func (r backtestedRun) says(i int) string {
	if i >= len(r.Points) {
		return "-"
	}
	p := r.Points[i]
	text := string(p.Decision)
	if len(p.Reasons) > 0 {
		text += " " + escape.Line(strings.Join(p.Reasons, " "))
	}
	return escape.Clip(text, 60)
}

// totals counts what the releases came to.
func totals(name string, releases []backtestedOnes, run func(backtestedOnes) backtestedRun) string {
	counts := map[gates.Outcome]int{}
	early := 0
	for _, one := range releases {
		r := run(one)
		counts[r.first()]++
		if r.early() {
			early++
		}
	}
	var parts []string
	for _, o := range []gates.Outcome{gates.Promote, gates.Rollback, gates.Hold, gates.Undecidable} {
		if counts[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[o], o))
		}
	}
	text := fmt.Sprintf("%s: %s", name, strings.Join(parts, ", "))
	if early > 0 {
		text += fmt.Sprintf("; %d promoted before a trigger fired", early)
	}
	return text + "\n"
}
