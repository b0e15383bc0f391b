package gates_test

import (
	"os"
	"slices"
	"testing"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/conformance"
)

// equivalent mutants behave like the rules, each for its reason.
var equivalent = map[string]string{
	"SCORE[true true true]": "a mean below tau_score needs a window below it, which is a trigger",
	"without SCORE":         "likewise",
	"steps 5 and 6 swapped": "each is about one channel",
	"steps 6 and 7 swapped": "likewise",
}

// Every other mutant is caught by a published case, which names what differs.
func TestMutants(t *testing.T) {
	var cases []conformance.Case
	for _, name := range []string{"cases.json", "edges.json"} {
		data, err := os.ReadFile("../testdata/gates/" + name)
		if err != nil {
			t.Fatal(err)
		}
		all, err := conformance.Read(data)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, slices.DeleteFunc(all, func(c conformance.Case) bool { return c.Kind != "decide" })...)
	}
	caught, seen := 0, map[string]bool{}
	for _, m := range gates.Mutants() {
		by := ""
		for _, c := range cases {
			if catches(c, m) {
				by = c.ID
				break
			}
		}
		seen[m.Name] = true
		switch reason, ok := equivalent[m.Name]; {
		case by == "" && !ok:
			t.Errorf("no case catches: %s", m.Name)
		case by != "" && ok:
			t.Errorf("%s: caught by %s, so it is not true that %s", m.Name, by, reason)
		case by != "":
			caught++
		}
	}
	for name := range equivalent {
		if !seen[name] {
			t.Errorf("there is no mutant %s", name)
		}
	}
	t.Logf("%d mutants caught, %d equivalent", caught, len(equivalent))
	if caught < 150 {
		t.Errorf("only %d mutants were tried", caught)
	}
}

// catches reports whether c fails under m. A mutant may also break what the
// procedure rests on and panic.
func catches(c conformance.Case, m gates.Mutant) (caught bool) {
	defer func() {
		if recover() != nil {
			caught = true
		}
	}()
	return c.Run(m.Decide).Status != conformance.Pass
}
