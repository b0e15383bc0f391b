package docs

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// secondPromotes returns the record of a decision that says PROMOTE: its members of
// section 5. Records of other decisions, which somebody overrode, are left out.
func secondPromotes(policy any, release, channel string, since, now int64, given []any) any {
	d := &secondDecision{p: policy, channel: channel, now: now}
	d.choose(given, since)
	evidence, predicates := d.segment(), []any{}
	row := func(name, statistic, metric string, value *big.Rat, op string, limit *big.Rat, window any) {
		p := map[string]any{"name": name, "statistic": statistic, "value": decimalOf(value), "op": op, "limit": decimalOf(limit), "met": true}
		if metric != "" {
			p["metric"], p["window"] = metric, get(window, "id")
		}
		predicates = append(predicates, p)
	}
	number := func(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }
	covered := func(ws []any) (sum int64) {
		for _, w := range ws {
			sum += num(w, "end_ms") - num(w, "start_ms")
		}
		return sum
	}
	if channel == "stable" {
		first := len(evidence)
		for first > 0 {
			if v, _ := d.value(evidence[first-1], "incident_rate"); v.Cmp(d.tau("tau_inc")) > 0 {
				break
			}
			first--
		}
		row("STREAK", "count", "", number(int64(len(evidence)-first)), ">=", number(num(policy, "N_LTS")), nil)
		evidence = evidence[max(first, len(evidence)-int(num(policy, "N_LTS"))):]
	} else {
		for n := 1; n <= len(evidence); n++ {
			if last := evidence[len(evidence)-n:]; covered(last) >= num(policy, "T_obs_ms") && int64(n) >= num(policy, "W_min") {
				evidence = last
				break
			}
		}
		n := int64(len(evidence))
		row("COVERAGE", "ms", "", number(covered(evidence)), ">=", number(num(policy, "T_obs_ms")), nil)
		row("WINDOWS", "count", "", number(n), ">=", number(num(policy, "W_min")), nil)
		sum, least := new(big.Rat), slices.MinFunc(evidence, func(a, b any) int { x, _ := d.value(a, "score"); y, _ := d.value(b, "score"); return x.Cmp(y) })
		for _, w := range evidence {
			v, _ := d.value(w, "score")
			sum.Add(sum, v)
		}
		row("SCORE", "sum", "score", sum, ">=", new(big.Rat).Mul(number(n), d.tau("tau_score")), least)
		for _, m := range [][3]string{{"DELTA_REP", "delta_rep", "gate_rep"}, {"DELTA_PSD", "delta_psd", "tau_psd.max"}, {"R_TB", "r_tb", "tau_tb.max"}} {
			most := slices.MaxFunc(evidence, func(a, b any) int { x, _ := d.value(a, m[1]); y, _ := d.value(b, m[1]); return x.Cmp(y) })
			v, _ := d.value(most, m[1])
			row(m[0], "max", m[1], v, "<=", d.tau(m[2]), most)
		}
	}
	ids := []any{}
	for _, w := range evidence {
		ids = append(ids, get(w, "id"))
	}
	observed := map[string]any{"count": asNumber(int64(len(d.windows))), "root": fmt.Sprintf("sha256:%x", treeHash(d.windows))}
	if len(d.windows) > 0 {
		end := slices.MaxFunc(d.windows, func(a, b any) int { return int(num(a, "end_ms") - num(b, "end_ms")) })
		observed["start_ms"], observed["end_ms"] = get(d.windows[0], "start_ms"), get(end, "end_ms")
	}
	return map[string]any{
		"schema": "relseal/decision/v1", "semantics": "gate/1", "policy": map[string]any{"digest": digestOf(policy)}, "channel": channel, "release": release,
		"since_ms": asNumber(since), "now_ms": asNumber(now), "observed": observed, "decision": "PROMOTE", "to": map[string]string{"canary": "stable", "stable": "LTS"}[channel],
		"reasons": []any{}, "alerts": []any{}, "evidence": ids, "coverage_ms": asNumber(covered(evidence)), "predicates": predicates, "triggers": []any{}, "windows": evidence,
	}
}

// segment is that of rule 5.
func (d *secondDecision) segment() []any {
	start := len(d.windows)
	for start > 0 && len(d.unknowns(d.windows[start-1])) == 0 &&
		(start == len(d.windows) || num(d.windows[start], "start_ms")-num(d.windows[start-1], "end_ms") <= num(d.p, "gap_max_ms")) {
		start--
	}
	return d.windows[start:]
}

func asNumber(n int64) json.Number { return json.Number(fmt.Sprint(n)) }

// decimalOf writes a number that a decimal can say.
func decimalOf(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	return strings.TrimRight(r.FloatString(120), "0")
}

// treeHash is the hash of RFC 6962 over canonical windows.
func treeHash(ws []any) []byte {
	hash := func(parts ...[]byte) []byte {
		sum := sha256.Sum256(bytes.Join(parts, nil))
		return sum[:]
	}
	switch len(ws) {
	case 0:
		return hash()
	case 1:
		s, _ := canonical(ws[0], 1)
		return hash([]byte{0}, []byte(s))
	}
	k := 1
	for 2*k < len(ws) {
		k *= 2
	}
	return hash([]byte{1}, treeHash(ws[:k]), treeHash(ws[k:]))
}
