package cards

import (
	"fmt"
	"path"

	"github.com/relseal/relseal/internal/document"
)

// A graphCheck holds the steps of a pipeline against each other.
type graphCheck struct {
	steps  []Step
	report document.Reporter
	index  map[string]int    // position of a step, by id
	made   map[string]output // outputs, by folded path
	before []bitset          // the steps that each step needs, directly or not
	shaky  []bool            // steps whose needs could not all be made out
}

// An output and the step that makes it.
type output struct {
	path string
	step int
}

func (p Pipeline) checkGraph(report document.Reporter) {
	c := &graphCheck{steps: p.Steps, report: report, shaky: make([]bool, len(p.Steps))}
	c.checkNames()
	c.checkOutputs()
	g, _ := p.graph() // checkNames has reported the edges that lead nowhere
	order := g.order()
	if len(order) < len(g) {
		for _, cycle := range g.cycles(order) {
			report(document.At("steps", cycle[0], "needs"), "the steps need each other: "+cycleText(p.Steps, cycle), "")
		}
		return // what comes before what has no answer
	}
	c.reach(g, order)
	c.checkInputs()
	c.checkSameAs()
}

// checkNames asks that ids are unique and that needs name them.
func (c *graphCheck) checkNames() {
	c.index = make(map[string]int, len(c.steps))
	ids := make([]string, len(c.steps))
	for i, s := range c.steps {
		ids[i] = s.ID
		if first, ok := c.index[s.ID]; ok {
			c.report(document.At("steps", i, "id"), fmt.Sprintf("%s is the id of steps[%d] too", document.Quote(s.ID), first), "")
			continue
		}
		c.index[s.ID] = i
	}
	suggestions := 5 // each looks at all ids; a hostile card has many of both
	for i, s := range c.steps {
		for j, id := range s.Needs {
			if _, ok := c.index[id]; ok {
				continue
			}
			c.shaky[i] = true
			hint := ""
			if suggestions > 0 {
				suggestions--
				hint = document.Suggest(id, ids)
			}
			c.report(document.At("steps", i, "needs", j), fmt.Sprintf("no step has the id %s", document.Quote(id)), hint)
		}
	}
}

// checkOutputs asks that every output is made by one step, once, and that none
// is a directory of another, on file systems that ignore case too.
func (c *graphCheck) checkOutputs() {
	c.made = map[string]output{}
	c.eachOutput(func(i int, at document.Path, p string) {
		first, ok := c.made[folded(p)]
		switch {
		case !ok:
			c.made[folded(p)] = output{p, i}
		case first.path != p:
			c.report(at, fmt.Sprintf("%s and %s of step %s are one file where case is ignored", document.Quote(p), document.Quote(first.path), document.Quote(c.steps[first.step].ID)), "")
		case first.step == i:
			c.report(at, fmt.Sprintf("%s is an output of this step already", document.Quote(p)), "")
		default:
			c.report(at, fmt.Sprintf("%s is an output of step %s too", document.Quote(p), document.Quote(c.steps[first.step].ID)), "")
		}
	})
	c.eachOutput(func(i int, at document.Path, p string) {
		for dir := path.Dir(folded(p)); dir != "." && dir != "/"; dir = path.Dir(dir) {
			if over, ok := c.made[dir]; ok {
				c.report(at, fmt.Sprintf("%s is below %s, which is an output of step %s and so a file", document.Quote(p), document.Quote(over.path), document.Quote(c.steps[over.step].ID)), "")
				return
			}
		}
	})
}

// eachOutput calls f for every output that is a well-formed path.
func (c *graphCheck) eachOutput(f func(step int, at document.Path, p string)) {
	for i, s := range c.steps {
		for j, p := range s.Outputs {
			if localFault(p) == "" {
				f(i, document.At("steps", i, "outputs", j), p)
			}
		}
		if s.Stdout != "" && localFault(s.Stdout) == "" {
			f(i, document.At("steps", i, "stdout"), s.Stdout)
		}
	}
}

// reach finds out which steps come before which.
func (c *graphCheck) reach(g graph, order []int) {
	c.before = make([]bitset, len(g))
	for _, i := range order {
		c.before[i] = newBitset(len(g))
		for _, n := range g[i] {
			c.before[i].add(n)
			c.before[i].addAll(c.before[n])
			c.shaky[i] = c.shaky[i] || c.shaky[n]
		}
	}
}

// maxMatching bounds the work of holding patterns against outputs, in bytes of
// pattern times outputs. A card of 64 KiB of YAML stays far below it.
const maxMatching = 1 << 26

// checkInputs asks that what a step reads and another makes is an edge of the
// graph. Otherwise what the step reads depends on what an earlier run left.
func (c *graphCheck) checkInputs() {
	outputs := make([]output, 0, len(c.made))
	c.eachOutput(func(i int, _ document.Path, p string) { outputs = append(outputs, output{p, i}) })
	work := 0
	for i, s := range c.steps {
		for j, in := range s.Inputs {
			at := document.At("steps", i, "inputs", j)
			if localFault(in) != "" {
				continue
			}
			if !IsGlob(in) {
				if made, ok := c.made[folded(in)]; ok && made.path == in {
					c.checkEdge(i, made, at)
				}
				continue
			}
			if work += len(in) * len(outputs); work > maxMatching {
				c.report(at, "more patterns and outputs than can be held against each other", "name files instead of patterns")
				return
			}
			for _, made := range outputs {
				if ok, _ := path.Match(in, made.path); ok && !c.checkEdge(i, made, at) {
					break
				}
			}
		}
	}
}

// checkEdge reports an input of step i that is made by a step that i does not
// need, or by i itself.
func (c *graphCheck) checkEdge(i int, made output, at document.Path) bool {
	id := c.steps[made.step].ID
	switch {
	case made.step == i:
		c.report(at, fmt.Sprintf("takes in %s, an output of this step itself", document.Quote(made.path)), "")
	case c.before[i].has(made.step) || c.shaky[i]:
		return true
	case c.before[made.step].has(i):
		c.report(at, fmt.Sprintf("takes in %s, an output of step %s, which comes after this one", document.Quote(made.path), document.Quote(id)), "")
	default:
		c.report(at, fmt.Sprintf("takes in %s, an output of step %s, which this step does not need", document.Quote(made.path), document.Quote(id)),
			fmt.Sprintf("edges are explicit: add %s to needs", document.Quote(id)))
	}
	return false
}

// checkSameAs asks that a step repeats one that comes before it, output by output.
func (c *graphCheck) checkSameAs() {
	for i, s := range c.steps {
		if s.SameAs == "" {
			continue
		}
		at := document.At("steps", i, "same_as")
		earlier, ok := c.index[s.SameAs]
		switch {
		case !ok:
			c.report(at, fmt.Sprintf("no step has the id %s", document.Quote(s.SameAs)), "")
		case earlier == i:
			c.report(at, "a step cannot be compared with itself", "")
		case !c.before[i].has(earlier) && !c.shaky[i]:
			c.report(at, fmt.Sprintf("step %s does not come before this one", document.Quote(s.SameAs)), fmt.Sprintf("add %s to needs", document.Quote(s.SameAs)))
		default:
			if fault := s.normal().repeats(c.steps[earlier].normal()); fault != "" {
				c.report(at, fault, "")
			}
		}
	}
}

// A bitset is a set of small integers.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) add(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
func (b bitset) addAll(c bitset) {
	for i := range b {
		b[i] |= c[i]
	}
}
