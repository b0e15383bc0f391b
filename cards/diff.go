package cards

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/relseal/relseal/canon"
)

// A Difference is one member in which two cards differ. Its name has steps by
// id and parameters by name: steps[build].run, params[timeout].value.
type Difference struct {
	Member string        `json:"member"`
	Class  string        `json:"class"` // what [Weights] are given to: steps.run
	Old    canon.Value   `json:"old"`   // null where the member is absent
	New    canon.Value   `json:"new"`
	Weight canon.Decimal `json:"weight"`
	Impact canon.Decimal `json:"impact"` // from 0 to 1, to six decimals
}

// A Comparison is what there is to say about a change from one card to another.
// It has no differences iff the cards have the same hash.
type Comparison struct {
	Differences []Difference  // in the order of the card
	RiskIndex   canon.Decimal // S32-18; "0" where nothing differs
}

// ComparePipelines names what changes from a to b. The weights are those of a:
// a change cannot talk down its own risk.
func ComparePipelines(a, b Pipeline) (Comparison, error) {
	a, b = a.Normal(), b.Normal()
	d := &differ{weights: a.Weights, classes: pipelineClasses}
	d.identity(a.Card, b.Card)
	d.member("tools", "tools", a.Tools, b.Tools)
	d.member("locks", "locks", a.Locks, b.Locks)
	d.member("env", "env", a.Env, b.Env)
	d.rng(a.RNG, b.RNG)
	d.steps(a.Steps, b.Steps)
	d.member("weights", "weights", orAbsent(a.Weights), orAbsent(b.Weights))
	return d.comparison()
}

// CompareParams is ComparePipelines for ParamCards.
func CompareParams(a, b Params) (Comparison, error) {
	a, b = a.Normal(), b.Normal()
	d := &differ{weights: a.Weights, classes: paramClasses}
	d.identity(a.Card, b.Card)
	old, now := map[string]Param{}, map[string]Param{}
	for _, p := range a.Params {
		old[p.Name] = p
	}
	for _, p := range b.Params {
		now[p.Name] = p
	}
	for _, name := range union(old, now) {
		d.param(fmt.Sprintf("params[%s]", name), find(old, name), find(now, name))
	}
	d.member("weights", "weights", orAbsent(a.Weights), orAbsent(b.Weights))
	return d.comparison()
}

// A differ collects differences.
type differ struct {
	weights Weights
	classes map[string]canon.Decimal
	found   []Difference
	err     error
}

// member notes a member of the class whose values, nil where it is absent, have
// not the same canonical form. It reports whether it did.
func (d *differ) member(class, name string, old, now any) bool {
	was, is := d.canonical(old), d.canonical(now)
	if d.err != nil || bytes.Equal(was, is) {
		return false
	}
	d.found = append(d.found, Difference{Member: name, Class: class, Old: was, New: is, Weight: d.weights.of(class), Impact: d.classes[class]})
	return true
}

func (d *differ) canonical(v any) canon.Value {
	data, err := canon.Marshal(v)
	if err != nil && d.err == nil {
		d.err = err
	}
	return data
}

func (d *differ) identity(a, b Identity) {
	d.member("card.id", "card.id", a.ID, b.ID)
	d.member("card.author", "card.author", a.Author, b.Author)
}

func (d *differ) rng(a, b *RNG) {
	if a == nil || b == nil {
		d.member("rng", "rng", a, b)
		return
	}
	d.member("rng", "rng.family", a.Family, b.Family)
	d.member("rng", "rng.seed", a.Seed, b.Seed)
}

// steps compares those of the same id, whatever their place, and then the order
// of those that both cards have.
func (d *differ) steps(a, b []Step) {
	old, now := map[string]Step{}, map[string]Step{}
	for _, s := range a {
		old[s.ID] = s
	}
	for _, s := range b {
		now[s.ID] = s
	}
	common := func(list []Step) []string {
		ids := []string{}
		for _, s := range list {
			if find(old, s.ID) != nil && find(now, s.ID) != nil {
				ids = append(ids, s.ID)
			}
		}
		return ids
	}
	for _, s := range a {
		d.step("steps["+s.ID+"]", &s, find(now, s.ID))
	}
	for _, s := range b {
		if find(old, s.ID) == nil {
			d.step("steps["+s.ID+"]", nil, &s)
		}
	}
	d.member("steps.order", "steps.order", common(a), common(b))
}

func (d *differ) step(at string, a, b *Step) {
	if a == nil || b == nil {
		d.member("steps", at, a, b)
		return
	}
	d.member("steps.needs", at+".needs", a.Needs, b.Needs)
	d.member("steps.run", at+".run", a.Run, b.Run)
	d.member("steps.inputs", at+".inputs", a.Inputs, b.Inputs)
	d.member("steps.outputs", at+".outputs", a.Outputs, b.Outputs)
	for _, name := range union(a.Env, b.Env) {
		d.member("steps.env", at+".env."+name, find(a.Env, name), find(b.Env, name))
	}
	d.member("steps.stdout", at+".stdout", unlessZero(a.Stdout), unlessZero(b.Stdout))
	d.member("steps.same_as", at+".same_as", unlessZero(a.SameAs), unlessZero(b.SameAs))
	d.member("steps.timeout", at+".timeout_ms", unlessZero(a.TimeoutMS), unlessZero(b.TimeoutMS))
}

func (d *differ) param(at string, a, b *Param) {
	if a == nil || b == nil {
		d.member("params", at, a, b)
		return
	}
	d.member("params.type", at+".type", a.Type, b.Type)
	d.member("params.unit", at+".unit", a.Unit, b.Unit)
	if d.member(classValue, at+".value", a.Value, b.Value) {
		d.found[len(d.found)-1].Impact = a.impact(*b)
	}
	d.member("params.domain", at+".domain", a.Domain, b.Domain)
}

// union returns the names of both maps, sorted.
func union[V any](a, b map[string]V) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

// find returns a pointer to the value of a name, nil where there is none.
func find[V any](m map[string]V, name string) *V {
	if v, ok := m[name]; ok {
		return &v
	}
	return nil
}

// unlessZero returns a pointer to v, nil where an optional member is not set.
func unlessZero[V comparable](v V) *V {
	var zero V
	if v == zero {
		return nil
	}
	return &v
}

func orAbsent(w Weights) *Weights {
	if len(w) == 0 {
		return nil
	}
	return &w
}
