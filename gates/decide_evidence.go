package gates

import (
	"math/big"
	"slices"
	"strconv"
)

// segment is step 6: the last windows that are decidable and follow one another. It
// returns the index of the first, and names what ended it in Restart.
func (j *judge) segment() (first int, before *Restart) {
	for first = len(j.windows); first > 0; first-- {
		w := j.windows[first-1]
		if first < len(j.windows) && !j.joined.ints(j.windows[first].StartMS-w.EndMS, j.p.GapMaxMS) {
			return first, &Restart{w.ID, []string{"GAP"}}
		}
		if !j.decidable(w) {
			return first, &Restart{w.ID, j.unknowns(w)}
		}
	}
	return 0, nil
}

// toStable is step 7 (S32-31, canary to stable).
func (j *judge) toStable() bool {
	if j.in.Channel != Canary {
		return false
	}
	// Times from now on add up: step 5 has seen that windows do not overlap.
	start, restart := j.segment()
	first, covered := len(j.windows), int64(0)
	for first > start && !j.sufficient(len(j.windows)-first, covered) {
		first--
		covered += j.windows[first].length()
	}
	evidence := j.windows[first:]
	j.evidence(evidence)

	wide := j.predicate("COVERAGE", statTime, covered, j.coverage, j.p.TObsMS)
	many := j.predicate("WINDOWS", statCount, int64(len(evidence)), j.enough, j.p.WMin)
	if (!wide || !many) && restart != nil {
		j.d.Restart = restart
		j.use(j.windows[start-1])
	}
	last := -1 // of the windows that break a predicate
	if len(evidence) > 0 {
		for _, l := range j.promote {
			last = max(last, j.hold(l, evidence))
		}
	}
	if len(j.d.Reasons) == 0 {
		j.d.To = Stable
		return j.decided(Promote)
	}
	blocker := ""
	if last >= 0 {
		blocker = evidence[last].ID
	}
	j.d.Next = j.next(len(evidence)-last-1, length(evidence[last+1:]), blocker)
	return false
}

func (j *judge) sufficient(windows int, covered int64) bool {
	return j.coverage.ints(covered, j.p.TObsMS) && j.enough.ints(int64(windows), j.p.WMin)
}

// predicate records a comparison of integers, and its name where it does not hold.
func (j *judge) predicate(name, stat string, value int64, o op, limit int64) bool {
	met := o.ints(value, limit)
	j.record(Predicate{Name: name, Statistic: stat, Value: strconv.FormatInt(value, 10), Op: o.text, Limit: strconv.FormatInt(limit, 10), Met: met})
	return met
}

func (j *judge) record(p Predicate) {
	j.d.Predicates = append(j.d.Predicates, p)
	if p.Met {
		return
	}
	j.d.Reasons = append(j.d.Reasons, p.Name)
	if alert := alertOf[p.Name]; alert != "" {
		j.d.Alerts = append(j.d.Alerts, alert)
	}
}

// hold records whether l holds over the evidence, and returns the index of the
// last window that breaks it, -1 if it holds.
func (j *judge) hold(l limit, evidence []*Window) (last int) {
	tau := l.of(&j.p).Rat()
	sum, extreme, decides := new(big.Rat), new(big.Rat), -1
	last = -1
	n := 0
	for i, w := range evidence {
		d, s := j.value(w, l.metric)
		if s != known {
			continue
		}
		v := d.Rat()
		if l.floor && v.Sign() < 0 {
			v.SetInt64(0)
		}
		n++
		sum.Add(sum, v)
		if !l.op.rats(v, tau) {
			last = i
		}
		// The least score or the greatest difference decides.
		if order := v.Cmp(extreme); decides < 0 || l.stat == statMax && order > 0 || l.stat == statSum && order < 0 {
			extreme, decides = v, i
		}
	}
	if decides < 0 {
		return -1
	}
	p := Predicate{Name: l.name, Metric: l.metric.name, Statistic: l.stat, Op: l.op.text, Window: evidence[decides].ID}
	value := extreme
	if l.stat == statSum { // a mean may have no end as a decimal, a sum has
		value = sum
		tau = tau.Mul(tau, big.NewRat(int64(n), 1))
	}
	p.Value, p.Limit, p.Met = exact(value), exact(tau), l.op.rats(value, tau)
	j.record(p)
	if p.Met {
		return -1
	}
	return last
}

// toLTS is step 8 (S32-31, stable to LTS).
func (j *judge) toLTS() bool {
	if j.in.Channel != Stable {
		return false
	}
	start, restart := j.segment()
	tau := j.rules.incident.of(&j.p)
	good := len(j.windows)
	for good > start {
		w := j.windows[good-1]
		if v, s := j.value(w, metricIncident); s == known && !j.rules.incident.op.decimals(v, tau) {
			start, restart = good, &Restart{w.ID, []string{"INCIDENT"}}
			break
		}
		good--
	}
	streak := j.skipped + len(j.windows) - good
	j.evidence(j.windows[len(j.windows)-int(min(int64(streak), j.p.NLTS)):]) // as many as prove it
	if j.predicate("STREAK", statCount, int64(streak), j.streak, j.p.NLTS) {
		j.d.To = LTS
		return j.decided(Promote)
	}
	blocker := ""
	if restart != nil {
		j.d.Restart, blocker = restart, restart.Window
		j.use(j.windows[start-1])
	}
	j.d.Next = j.next(streak, 0, blocker)
	return false
}

// atTop is the rest for LTS: only a rollback leads away from there.
func (j *judge) atTop() bool {
	if j.in.Channel == LTS {
		j.d.Reasons = slices.Concat(j.d.Reasons, []string{"LAST_CHANNEL"})
		return true
	}
	return false
}

// expiry is step 9: a release that is held for too long needs a human's signature.
func (j *judge) expiry() bool {
	if j.p.TObsMaxMS == 0 || j.predicate("T_OBS_MAX", statTime, j.in.NowMS-j.in.SinceMS, j.inTime, j.p.TObsMaxMS) {
		return false
	}
	return j.decided(Undecidable)
}
