package cards

import (
	"container/heap"
	"fmt"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/document"
)

// Order returns the steps so that each comes after those it needs; of several
// that could come next, the first in the card does. An unknown step or a cycle
// is an error.
func (p Pipeline) Order() ([]Step, error) {
	g, err := p.graph()
	if err != nil {
		return nil, err
	}
	order := g.order()
	if len(order) < len(p.Steps) {
		return nil, fmt.Errorf("the steps need each other: %s", cycleText(p.Steps, g.cycles(order)[0]))
	}
	steps := make([]Step, len(order))
	for i, n := range order {
		steps[i] = p.Steps[n]
	}
	return steps, nil
}

// A graph holds for each step the positions of the steps that it needs.
type graph [][]int

// graph returns the graph of p without the edges that name no step; the error
// is about the first of them.
func (p Pipeline) graph() (graph, error) {
	index := make(map[string]int, len(p.Steps))
	for i, s := range p.Steps {
		if _, twice := index[s.ID]; !twice {
			index[s.ID] = i
		}
	}
	var err error
	g := make(graph, len(p.Steps))
	for i, s := range p.Steps {
		for _, id := range s.Needs {
			n, ok := index[id]
			if !ok {
				if err == nil {
					err = fmt.Errorf("step %s needs %s, which is no step", document.Quote(s.ID), document.Quote(id))
				}
				continue
			}
			g[i] = append(g[i], n)
		}
	}
	return g, err
}

// order returns the positions of the steps in dependency order, least first
// where there is a choice; those on a cycle or behind one are left out.
func (g graph) order() []int {
	waits := make([]int, len(g))
	neededBy := make([][]int, len(g))
	ready := &positions{}
	for i, needs := range g {
		waits[i] = len(needs)
		for _, n := range needs {
			neededBy[n] = append(neededBy[n], i)
		}
		if len(needs) == 0 {
			heap.Push(ready, i)
		}
	}
	order := make([]int, 0, len(g))
	for ready.Len() > 0 {
		n := heap.Pop(ready).(int)
		order = append(order, n)
		for _, i := range neededBy[n] {
			if waits[i]--; waits[i] == 0 {
				heap.Push(ready, i)
			}
		}
	}
	return order
}

// cycles returns disjoint cycles among the steps that order left out, at least
// one if there are such steps. Each of those needs another of them, so a walk
// along the needs comes back to where it was; what was walked over is not walked
// again, so that it takes time in proportion to the graph.
func (g graph) cycles(order []int) [][]int {
	ordered := make([]bool, len(g))
	for _, n := range order {
		ordered[n] = true
	}
	walks := make([]int, len(g)) // which walk came by, from 1
	var cycles [][]int
	for start := range g {
		if ordered[start] {
			continue
		}
		var walk []int
		n := start
		for walks[n] == 0 {
			walks[n] = start + 1
			walk = append(walk, n)
			n = g[n][slices.IndexFunc(g[n], func(m int) bool { return !ordered[m] })]
		}
		if walks[n] == start+1 {
			cycles = append(cycles, walk[slices.Index(walk, n):])
		}
	}
	return cycles
}

// cycleText writes a cycle as a -> b -> a, where a needs b.
func cycleText(steps []Step, cycle []int) string {
	const most = 20
	var ids []string
	for i, n := range cycle {
		if i == most {
			ids = append(ids, "...")
			break
		}
		ids = append(ids, strings.Trim(document.Quote(steps[n].ID), `"`))
	}
	return strings.Join(append(ids, ids[0]), " -> ")
}

// positions is a min-heap.
type positions []int

func (h positions) Len() int           { return len(h) }
func (h positions) Less(i, j int) bool { return h[i] < h[j] }
func (h positions) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *positions) Push(x any)        { *h = append(*h, x.(int)) }
func (h *positions) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
