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

// blackout is the first half of step 5: nobody may stay for long without knowing.
// It looks at all windows, not at the last ones alone: values that come
// back do not say what happened while they were away.
func (j *judge) blackout() bool {
	run := 0
	for i, w := range j.windows {
		if j.decidable(w) {
			run = 0
			continue
		}
		run++
		if !j.rules.blackout.ints(int64(run), j.p.MaxUndecidable) {
			continue
		}
		j.use(j.windows[i+1-run : i+1]...)
		j.d.Reasons = append(j.d.Reasons, "METRIC_BLACKOUT")
		j.d.Triggers = append(j.d.Triggers, Predicate{
			Name: "METRIC_BLACKOUT", Statistic: statCount, Value: strconv.Itoa(run), Op: j.rules.blackout.text,
			Limit: strconv.FormatInt(j.p.MaxUndecidable, 10), Met: true, Window: w.ID,
		})
		return j.rollback(w)
	}
	return false
}

// rollback decides for it, to be finished T_rollback after the end of w.
func (j *judge) rollback(w *Window) bool {
	j.d.Window = w.ID
	j.d.DeadlineMS = Some(w.EndMS + j.p.TRollbackMS)
	return j.decided(Rollback)
}

// lastWindow is the second half of step 5.
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
