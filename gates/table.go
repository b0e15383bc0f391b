package gates

import (
	"iter"
	"slices"

	"github.com/relseal/relseal/canon"
)

// A Column is a metric that a channel requires, and what each of its values is
// held to: Value Op Limit. One that breaks it rolls back if Trigger, and blocks
// or restarts a promotion otherwise.
type Column struct {
	Metric  string
	Tau     string // the policy's name of Limit
	Op      string
	Limit   canon.Decimal
	Unit    string // of Limit, "" for a pure number
	Trigger bool
}

// A Cell is one value of a column.
type Cell struct {
	Value  Value         // as it was written
	Number canon.Decimal // what it is; of hb_lag without a value, what the last heartbeat proves; "" if unknown
	Fault  string        // METRIC_MISSING, METRIC_NONFINITE or METRIC_KIND; "" for a value that can be compared
	Breaks bool          // Number does not hold
}

// Table holds each window to each threshold on its own, for people to look at. What
// follows from all of them together is for [Decide] to say. rows[i][k] is of
// window i and column k.
func Table(p Policy, channel string, ws []Window) (columns []Column, rows [][]Cell) {
	j := &judge{rules: &gate1, p: p, in: Input{Channel: channel}}
	var limits []limit
	for _, m := range j.required[channel] {
		l, trigger := j.limitOf(m)
		op := l.op.text
		if trigger {
			op = contrary[op]
		}
		columns = append(columns, Column{m.name, l.tau, op, l.of(&p), unitOf(p, m), trigger})
		limits = append(limits, l)
	}
	rows = make([][]Cell, len(ws))
	for i := range ws {
		for k, l := range limits {
			rows[i] = append(rows[i], j.cell(&ws[i], l, columns[k].Trigger))
		}
	}
	return columns, rows
}

// limitOf returns what is said of a single value of m.
func (j *judge) limitOf(m *metric) (l limit, trigger bool) {
	of := func(l limit) bool { return l.metric == m }
	if i := slices.IndexFunc(j.rules.triggers, of); i >= 0 {
		return j.rules.triggers[i], true
	}
	if i := slices.IndexFunc(j.promote, of); i >= 0 {
		return j.promote[i], false
	}
	return j.rules.incident, false
}

func unitOf(p Policy, m *metric) string {
	switch {
	case m == metricHBLag:
		return "s"
	case m == metricRTB && p.TauTB.Unit != "1":
		return p.TauTB.Unit
	}
	return ""
}

func (j *judge) cell(w *Window, l limit, trigger bool) Cell {
	v, s := j.value(w, l.metric)
	c := Cell{Value: *l.metric.of(w), Fault: string(s)}
	if trigger {
		fired, ok := j.fires(l, w)
		if c.Breaks = ok; ok {
			c.Number = canon.Decimal(fired.Value)
		}
	}
	if s == known {
		c.Number = v
		if !trigger {
			c.Breaks = !l.op.decimals(v, l.of(&j.p))
		}
	}
	return c
}

// Ordered returns the windows that start at or after since, each content once, in
// the order in which decisions look at them.
func Ordered(ws iter.Seq[Window], sinceMS int64) []Window {
	ordered := []Window{}
	seen := map[Window]bool{}
	for w := range ws {
		if w.StartMS >= sinceMS && !seen[w] {
			seen[w] = true
			ordered = append(ordered, w)
		}
	}
	slices.SortFunc(ordered, func(a, b Window) int { return compareWindows(&a, &b) })
	return ordered
}
