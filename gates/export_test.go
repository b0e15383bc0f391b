package gates

import (
	"fmt"
	"maps"
	"slices"
)

// A Mutant decides by the rules with one change.
type Mutant struct {
	Name   string
	Decide func(Policy, Input) (Decision, error)
}

// clone shares nothing with r that a mutant changes.
func (r rules) clone() *rules {
	r.steps, r.triggers, r.promote = slices.Clone(r.steps), slices.Clone(r.triggers), slices.Clone(r.promote)
	r.required, r.unknown = maps.Clone(r.required), maps.Clone(r.unknown)
	return &r
}

// ops are all comparisons of the rules.
func (r *rules) ops() map[string]*op {
	ops := map[string]*op{
		"selected": &r.selected, "invalid": &r.invalid, "future": &r.future, "overlap": &r.overlap, "blackout": &r.blackout, "joined": &r.joined,
		"coverage": &r.coverage, "enough": &r.enough, "incident": &r.incident.op, "streak": &r.streak, "inTime": &r.inTime,
	}
	for i := range r.triggers {
		ops[r.triggers[i].name] = &r.triggers[i].op
	}
	for i := range r.promote {
		ops[r.promote[i].name] = &r.promote[i].op
	}
	return ops
}

// Mutants are the rules with each comparison replaced by every other of the
// eight possible ones, and each rule about missing values, redelivery and order
// dropped, or widened to a metric that a channel does not require.
func Mutants() []Mutant {
	var out []Mutant
	add := func(name string, change func(*rules)) {
		r := gate1.clone()
		change(r)
		out = append(out, Mutant{name, r.decide})
	}
	standard := gate1.clone()
	for _, name := range slices.Sorted(maps.Keys(standard.ops())) {
		old := *standard.ops()[name]
		for bits := range 8 {
			o := op{old.text, bits&1 != 0, bits&2 != 0, bits&4 != 0}
			if o != old {
				add(fmt.Sprintf("%s%v", name, []bool{o.below, o.same, o.above}), func(r *rules) { *r.ops()[name] = o })
			}
		}
	}
	for _, channel := range Channels {
		for _, m := range metrics {
			list := standard.required[channel]
			if i := slices.Index(list, m); i >= 0 {
				add(channel+" without "+m.name, func(r *rules) { r.required[channel] = slices.Delete(slices.Clone(list), i, i+1) })
			} else {
				add(channel+" with "+m.name, func(r *rules) { r.required[channel] = append(slices.Clone(list), m) })
			}
		}
		add(channel+" backwards", func(r *rules) {
			r.required[channel] = slices.Clone(r.required[channel])
			slices.Reverse(r.required[channel])
		})
	}
	for s := range standard.unknown {
		add(string(s)+" is evidence", func(r *rules) { r.unknown[s] = false })
	}
	for i := range standard.triggers {
		add("without "+standard.triggers[i].name, func(r *rules) { r.triggers = slices.Delete(r.triggers, i, i+1) })
	}
	for i := range standard.promote {
		add("without "+standard.promote[i].name, func(r *rules) { r.promote = slices.Delete(r.promote, i, i+1) })
	}
	for i := range standard.steps {
		add(fmt.Sprintf("without step %d", i), func(r *rules) { r.steps = slices.Delete(r.steps, i, i+1) })
		if i > 0 {
			add(fmt.Sprintf("steps %d and %d swapped", i-1, i), func(r *rules) { r.steps[i-1], r.steps[i] = r.steps[i], r.steps[i-1] })
		}
	}
	add("redelivery counts", func(r *rules) { r.distinct = false })
	add("conflict is no fault", func(r *rules) { r.conflict = false })
	add("silence is no trigger", func(r *rules) { r.lowerBound = false })
	add("triggers backwards", func(r *rules) { slices.Reverse(r.triggers) })
	add("predicates backwards", func(r *rules) { slices.Reverse(r.promote) })
	return out
}
