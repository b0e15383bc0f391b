package docs

import (
	"cmp"
	"math/big"
	"regexp"
	"slices"
)

// secondDecide is the decision of section 5, without its record: what follows from
// a policy and windows, and why not more.
func secondDecide(p any, channel string, since, now int64, given []any) (outcome string, reasons []string) {
	d := &secondDecision{p: p, channel: channel, now: now}
	d.choose(given, since)
	if fired := d.triggers(); len(fired) > 0 {
		return "ROLLBACK", fired
	}
	row, end, ids := int64(0), int64(0), map[string]bool{}
	for i, w := range d.windows {
		fault := num(w, "start_ms") >= num(w, "end_ms") || num(w, "end_ms") > now+num(p, "skew_max_ms") || num(w, "start_ms") < end || ids[text(w, "id")]
		switch {
		case fault || len(d.unknowns(w)) > 0:
			row++
		case i+1 < len(d.windows) && num(d.windows[i+1], "start_ms") >= num(w, "end_ms"):
			row = 0
		}
		ids[text(w, "id")] = true
		if num(w, "start_ms") < num(w, "end_ms") {
			end = max(end, num(w, "end_ms"))
		}
		if row > num(p, "max_undecidable") {
			return "ROLLBACK", []string{"METRIC_BLACKOUT"}
		}
	}
	if wrong := d.integrity(); len(wrong) > 0 {
		return "UNDECIDABLE", wrong
	}
	if n := len(d.windows); n > 0 && len(d.unknowns(d.windows[n-1])) > 0 {
		return "UNDECIDABLE", d.unknowns(d.windows[n-1])
	}
	if reasons = d.unmet(); len(reasons) == 0 {
		return "PROMOTE", nil
	}
	if most := num(p, "T_obs_max_ms"); most > 0 && now-since > most {
		return "UNDECIDABLE", append(reasons, "T_OBS_MAX")
	}
	return "HOLD", reasons
}

type secondDecision struct {
	p       any
	channel string
	now     int64
	windows []any
}

func (d *secondDecision) choose(given []any, since int64) {
	seen := map[string]bool{}
	for _, w := range given {
		if id := digestOf(w); text(w, "channel") == d.channel && num(w, "start_ms") >= since && !seen[id] {
			seen[id] = true
			d.windows = append(d.windows, w)
		}
	}
	slices.SortFunc(d.windows, func(a, b any) int {
		x, _ := canonical(a, 1)
		y, _ := canonical(b, 1)
		return cmp.Or(cmp.Compare(num(a, "start_ms"), num(b, "start_ms")), cmp.Compare(num(a, "end_ms"), num(b, "end_ms")),
			cmp.Compare(text(a, "id"), text(b, "id")), cmp.Compare(x, y))
	})
}

var number = regexp.MustCompile(`^[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$`)

// value returns a metric as an exact number, or why it is not known.
func (d *secondDecision) value(w any, name string) (*big.Rat, string) {
	kinds := map[string][]string{"delta_psd": {"psd_kind", "tau_psd.kind"}, "r_tb": {"tb_kind", "tau_tb.kind", "tb_unit", "tau_tb.unit"}}[name]
	switch v, ok := get(w, name).(string); {
	case !ok:
		return nil, "METRIC_MISSING"
	case !number.MatchString(v):
		return nil, "METRIC_NONFINITE"
	default:
		for i := 0; i < len(kinds); i += 2 {
			if said := text(w, kinds[i]); said != "" && said != text(d.p, kinds[i+1]) {
				return nil, "METRIC_KIND"
			}
		}
		r, _ := new(big.Rat).SetString(v)
		return r, ""
	}
}

func (d *secondDecision) tau(name string) *big.Rat {
	r, _ := new(big.Rat).SetString(text(d.p, name))
	return r
}

func (d *secondDecision) triggers() (fired []string) {
	for _, t := range []struct{ metric, tau string }{{"score", "tau_score"}, {"hb_lag", "tau_hb"}, {"drop_rate", "tau_drop"}} {
		if slices.ContainsFunc(d.windows, func(w any) bool {
			v, _ := d.value(w, t.metric)
			if v == nil && t.metric == "hb_lag" && get(w, "last_beat_ms") != nil {
				v = big.NewRat(num(w, "end_ms")-num(w, "last_beat_ms"), 1000)
			}
			order := 0
			if v != nil {
				order = v.Cmp(d.tau(t.tau))
			}
			return t.metric == "score" && order < 0 || t.metric != "score" && order > 0
		}) {
			fired = append(fired, "TRIGGER:"+t.metric)
		}
	}
	return fired
}

func (d *secondDecision) integrity() (wrong []string) {
	count := map[string]int{}
	for _, w := range d.windows {
		count[text(w, "id")]++
		if num(w, "end_ms") <= num(w, "start_ms") {
			wrong = append(wrong, "E_WINDOW_INVALID:"+text(w, "id"))
		}
	}
	for _, w := range d.windows {
		if num(w, "end_ms") > d.now+num(d.p, "skew_max_ms") {
			wrong = append(wrong, "E_TIMEBASE_SKEW:"+text(w, "id"))
		}
	}
	var far any
	for _, w := range d.windows {
		if num(w, "end_ms") <= num(w, "start_ms") {
			continue
		}
		if far != nil && text(far, "id") != text(w, "id") && num(w, "start_ms") < num(far, "end_ms") {
			wrong = append(wrong, "E_WINDOW_OVERLAP:"+text(far, "id")+"+"+text(w, "id"))
		}
		if far == nil || num(w, "end_ms") > num(far, "end_ms") {
			far = w
		}
	}
	for _, w := range d.windows {
		if count[text(w, "id")] > 1 {
			wrong = append(wrong, "E_WINDOW_CONFLICT:"+text(w, "id"))
		}
	}
	slices.SortStableFunc(wrong, func(a, b string) int { return 0 })
	return slices.Compact(wrong)
}

func (d *secondDecision) unknowns(w any) (names []string) {
	required := map[string][]string{
		"canary": {"score", "delta_rep", "delta_psd", "r_tb", "hb_lag", "drop_rate"},
		"stable": {"score", "hb_lag", "drop_rate", "incident_rate"}, "LTS": {"score", "hb_lag", "drop_rate"},
	}
	for _, name := range required[d.channel] {
		if _, why := d.value(w, name); why != "" {
			names = append(names, why+":"+name)
		}
	}
	return names
}

// unmet lists what stands between the release and the channel above.
func (d *secondDecision) unmet() (reasons []string) {
	start := len(d.windows) - len(d.segment())
	first, covered := len(d.windows), int64(0)
	not := func(when bool, reason string) {
		if when {
			reasons = append(reasons, reason)
		}
	}
	switch d.channel {
	case "stable":
		for ; first > start; first-- {
			if v, _ := d.value(d.windows[first-1], "incident_rate"); v.Cmp(d.tau("tau_inc")) > 0 {
				break
			}
		}
		not(int64(len(d.windows)-first) < num(d.p, "N_LTS"), "STREAK")
	case "LTS":
		not(true, "LAST_CHANNEL")
	default:
		for first > start && (covered < num(d.p, "T_obs_ms") || int64(len(d.windows)-first) < num(d.p, "W_min")) {
			first--
			covered += num(d.windows[first], "end_ms") - num(d.windows[first], "start_ms")
		}
		evidence := d.windows[first:]
		not(covered < num(d.p, "T_obs_ms"), "COVERAGE")
		not(int64(len(evidence)) < num(d.p, "W_min"), "WINDOWS")
		sum, limit := new(big.Rat), new(big.Rat)
		most := map[string]*big.Rat{"delta_rep": new(big.Rat), "delta_psd": new(big.Rat)}
		for _, w := range evidence {
			v, _ := d.value(w, "score")
			sum.Add(sum, v)
			limit.Add(limit, d.tau("tau_score"))
			for _, name := range []string{"delta_rep", "delta_psd", "r_tb"} {
				if v, _ := d.value(w, name); most[name] == nil || v.Cmp(most[name]) > 0 {
					most[name] = v
				}
			}
		}
		not(sum.Cmp(limit) < 0, "SCORE")
		not(most["delta_rep"].Cmp(d.tau("gate_rep")) > 0, "DELTA_REP")
		not(most["delta_psd"].Cmp(d.tau("tau_psd.max")) > 0, "DELTA_PSD")
		not(most["r_tb"] != nil && most["r_tb"].Cmp(d.tau("tau_tb.max")) > 0, "R_TB")
	}
	return reasons
}
