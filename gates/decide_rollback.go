package gates

import (
	"slices"
	"strconv"

	"github.com/relseal/relseal/internal/limits"
)

// triggers is step 3 (S32-32). It looks at every window, also at those that later
// steps refuse: rolling back is the safe direction.
func (j *judge) triggers() bool {
	var first *Window
	fired := map[string]bool{}
	for _, w := range j.windows {
		for _, t := range j.rules.triggers {
			p, ok := j.fires(t, w)
			if !ok {
				continue
			}
			if first == nil {
				first = w
			}
			fired[t.name] = true
			if len(j.d.Triggers) < limits.Triggers { // each holds a window, and there may be a million
				j.d.Triggers = append(j.d.Triggers, p)
				j.use(w)
			}
		}
	}
	if first == nil {
		return false
	}
	for _, t := range j.rules.triggers {
		if fired[t.name] {
			j.d.Reasons = append(j.d.Reasons, t.name)
		}
	}
	return j.rollback(first)
}

func (j *judge) fires(t limit, w *Window) (Predicate, bool) {
	tau := t.of(&j.p)
	stat, value := statValue, ""
	if v, s := j.value(w, t.metric); s == known {
		if t.op.decimals(v, tau) {
			value = string(v)
		}
	} else if t.metric == metricHBLag {
		stat = statLowerBound
		if v := j.silence(w); v != nil && t.op.rats(v, tau.Rat()) {
			value = exact(v)
		}
	}
	if value == "" {
		return Predicate{}, false
	}
	return Predicate{Name: t.name, Metric: t.metric.name, Statistic: stat, Value: value, Op: t.op.text, Limit: string(tau), Met: true, Window: w.ID}, true
}

// A darkness is a row of windows that say nothing: a required value is not known, or the
// window contradicts the clock or one before it.
type darkness struct {
	first, row int     // the place of the first of them, and their number
	furthest   *Window // of all windows before, the one that ends last
	known      *Window // the window before, if it ends the row: not if the next one overlaps it
}

// dark takes in w, the next window, and reports whether it is one too many in the row.
// again says that a window before has the same id.
func (j *judge) dark(d *darkness, at int, w *Window, again bool) bool {
	fault := again && j.conflict || j.invalid.ints(w.EndMS, w.StartMS) || j.future.ints(w.EndMS, j.in.NowMS+j.p.SkewMaxMS) ||
		d.furthest != nil && j.overlap.ints(w.StartMS, d.furthest.EndMS)
	if w.EndMS > w.StartMS && (d.furthest == nil || w.EndMS > d.furthest.EndMS) {
		d.furthest = w
	}
	if d.known != nil && !j.overlap.ints(w.StartMS, d.known.EndMS) {
		d.row = 0
	}
	if d.known = nil; !fault && j.decidable(w) {
		d.known = w
		return false
	}
	if d.row++; d.row == 1 {
		d.first = at
	}
	return j.rules.blackout.ints(int64(d.row), j.p.MaxUndecidable)
}

// inTheDark finds the first row that is too long. It looks at all windows, not at the
// last ones alone: values that come back do not say what happened while they were away.
func (j *judge) inTheDark() (row []*Window, count int) {
	var d darkness
	seen := map[string]bool{}
	for i, w := range j.windows {
		if j.dark(&d, i, w, seen[w.ID]) {
			return j.windows[d.first : i+1], d.row
		}
		seen[w.ID] = true
	}
	return nil, 0
}

// blackout is step 4: nobody may stay for long without knowing. It comes before the
// faults of windows, so that no window that is at fault hides it.
func (j *judge) blackout() bool {
	row, count := j.row, j.count
	if !j.surveyed {
		row, count = j.inTheDark()
	}
	if count == 0 {
		return false
	}
	w := row[len(row)-1]
	j.use(row...)
	j.d.Reasons = append(j.d.Reasons, "METRIC_BLACKOUT")
	j.d.Triggers = append(j.d.Triggers, Predicate{
		Name: "METRIC_BLACKOUT", Statistic: statCount, Value: strconv.Itoa(count), Op: j.rules.blackout.text,
		Limit: strconv.FormatInt(j.p.MaxUndecidable, 10), Met: true, Window: w.ID,
	})
	return j.rollback(w)
}

// rollback decides for it, to be finished T_rollback after the end of w.
func (j *judge) rollback(w *Window) bool {
	j.d.Window = w.ID
	j.d.DeadlineMS = Some(w.EndMS + j.p.TRollbackMS)
	return j.decided(Rollback)
}

// lastWindow is the second half of step 5: a last window of which something is not known.
func (j *judge) lastWindow() bool {
	if len(j.windows) == 0 {
		return false
	}
	w := j.windows[len(j.windows)-1]
	if j.decidable(w) {
		return false
	}
	j.use(w)
	j.d.Window = w.ID
	j.d.Reasons = slices.Concat(j.d.Reasons, j.unknowns(w))
	j.d.Next = j.next(0, 0, w.ID)
	return j.decided(Undecidable)
}
