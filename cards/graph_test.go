package cards

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
)

// drawn returns the pipeline of "a b:a c:a,b": each step with what it needs.
func drawn(s string) Pipeline {
	p := Pipeline{Schema: PipelineSchema, Card: Identity{"x", "x"}}
	for _, f := range strings.Fields(s) {
		id, needs, _ := strings.Cut(f, ":")
		step := Step{ID: id, Run: []string{"true"}}
		if needs != "" {
			step.Needs = strings.Split(needs, ",")
		}
		p.Steps = append(p.Steps, step)
	}
	return p
}

func TestOrder(t *testing.T) {
	tests := []struct{ graph, want string }{
		{"a", "a"},
		{"a b c", "a b c"},
		{"a:b b", "b a"},
		{"c:a b:a a d", "a c b d"},
		{"d:b,c b:a c:a a", "a b c d"},
		{"z y:z x", "z y x"},
		{"a b:a,a c:b", "a b c"},
		{"a:b", `step "a" needs "b", which is no step`},
		{"a:a", "the steps need each other: a -> a"},
		{"a:b b:a", "the steps need each other: a -> b -> a"},
		{"x:c c:d d:e,y e:c y", "the steps need each other: c -> d -> e -> c"},
		{"", ""},
	}
	for _, test := range tests {
		steps, err := drawn(test.graph).Order()
		got := ids(steps)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.graph, got, test.want)
		}
	}
}

func ids(steps []Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.ID)
	}
	return strings.Join(out, " ")
}

// On random graphs: each step after its needs, the least position first; and
// where there is no order, every reported cycle is one.
func TestOrderOfRandomGraphs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	cyclic := 0
	for range 3000 {
		n := 1 + rng.IntN(9)
		p := Pipeline{Steps: make([]Step, n)}
		for i := range p.Steps {
			p.Steps[i].ID = fmt.Sprint("s", i)
			for range rng.IntN(3) {
				p.Steps[i].Needs = append(p.Steps[i].Needs, fmt.Sprint("s", rng.IntN(n)))
			}
		}
		g, err := p.graph()
		if err != nil {
			t.Fatal(err)
		}
		want := slowOrder(g)
		if got := g.order(); !slices.Equal(got, want) {
			t.Fatalf("%v: %v, want %v", g, got, want)
		}
		if len(want) == n {
			continue
		}
		cyclic++
		cycles := g.cycles(want)
		if len(cycles) == 0 {
			t.Fatalf("%v: no cycle", g)
		}
		for _, c := range cycles {
			for i, step := range c {
				if next := c[(i+1)%len(c)]; !slices.Contains(g[step], next) {
					t.Fatalf("%v: %v is no cycle", g, c)
				}
			}
		}
	}
	if cyclic < 100 || cyclic > 2900 {
		t.Errorf("%d of 3000 graphs have a cycle", cyclic)
	}
}

// slowOrder takes the first step that can come next, one after the other.
func slowOrder(g graph) []int {
	order := []int{}
	for {
		next := -1
		for i := range g {
			if !slices.Contains(order, i) && !slices.ContainsFunc(g[i], func(n int) bool { return !slices.Contains(order, n) }) {
				next = i
				break
			}
		}
		if next < 0 {
			return order
		}
		order = append(order, next)
	}
}

func TestRepeats(t *testing.T) {
	tests := []struct {
		earlier, later []string
		stdout         string // of both, as earlier>later
		ok             bool
	}{
		{[]string{"a"}, []string{"b"}, "", true},
		{[]string{"out/a", "out/b"}, []string{"again/out/a", "again/out/b"}, "", true},
		{[]string{"out/a"}, []string{"again/a"}, "log>again/log", true},
		{nil, nil, "x>y", true},
		{nil, nil, "", false},
		{[]string{"a"}, nil, "", false},
		{[]string{"a", "b"}, []string{"c/a", "c/c"}, "", false},
		{[]string{"a"}, []string{"c/a"}, "x>y", false},
	}
	for i, test := range tests {
		first, again, _ := strings.Cut(test.stdout, ">")
		earlier, later := Step{ID: "a", Outputs: test.earlier, Stdout: first}, Step{ID: "b", Outputs: test.later, Stdout: again}
		if fault := later.repeats(earlier); (fault == "") != test.ok {
			t.Errorf("%d: %s", i, fault)
		}
	}
}

// Canonical cards of a mebibyte, made to be slow.
func TestHostileCards(t *testing.T) {
	const head, tail = `{"card":{"author":"x","id":"x"},"env":[],"locks":[],"rng":null,"schema":"relseal/pipeline/v1","steps":[`, `],"tools":[]}`
	card := func(step func(i int) string) []byte {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; ; i++ {
			s := step(i)
			if b.Len()+len(s)+len(tail)+1 > limits.Card {
				break
			}
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(s)
		}
		return []byte(b.String() + tail)
	}
	list := func(n int, format string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(format, i)
		}
		slices.Sort(items)
		return strings.Join(items, ",")
	}
	chain := func(i int) string {
		needs := ""
		if i > 0 {
			needs = fmt.Sprintf("%q", fmt.Sprint(i-1))
		}
		return fmt.Sprintf(`{"id":"%d","inputs":[],"needs":[%s],"outputs":[],"run":["x"]}`, i, needs)
	}
	cards := map[string]struct {
		data []byte
		ok   bool
	}{
		"steps": {card(chain), true},
		"cycle": {card(func(i int) string {
			return fmt.Sprintf(`{"id":"%d","inputs":[],"needs":["%d"],"outputs":[],"run":["x"]}`, i, i+1)
		}), false},
		"unknown needs": {card(func(i int) string {
			return fmt.Sprintf(`{"id":"%060d","inputs":[],"needs":["%060dx"],"outputs":[],"run":["x"]}`, i, i)
		}), false},
		"patterns and outputs": {[]byte(head + `{"id":"a","inputs":[` + list(40000, `"*%06d*"`) + `],"needs":[],"outputs":[` + list(40000, `"%06d"`) + `],"run":["x"]}` + tail), false},
		"stars":                {[]byte(head + `{"id":"a","inputs":["` + strings.Repeat("*a", 500) + `"],"needs":[],"outputs":[` + list(60000, `"aaaaa%06d"`) + `],"run":["x"]}` + tail), true},
		"nested outputs": {card(func(i int) string {
			return fmt.Sprintf(`{"id":"%d","inputs":[],"needs":[],"outputs":["%s%d"],"run":["x"]}`, i, strings.Repeat("a/", 40), i)
		}), true},
		"bad everything": {card(func(i int) string {
			return `{"id":"","inputs":["","/"],"needs":["","x"],"outputs":["","/"],"run":[],"same_as":"y"}`
		}), false},
	}
	for name, c := range cards {
		t.Run(name, func(t *testing.T) {
			if len(c.data) > limits.Card || canon.Check(c.data) != nil {
				t.Fatalf("%d bytes, %v", len(c.data), canon.Check(c.data))
			}
			_, err := ReadPipeline(c.data)
			if (err == nil) != c.ok {
				t.Errorf("%.300v", err)
			}
			if err != nil && len(err.Error()) > 1_000_000 {
				t.Errorf("%d bytes of faults", len(err.Error()))
			}
		})
	}
}
