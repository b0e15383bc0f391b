package rundir

import (
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
)

// Steps are drawn as "a=1.5 b=2<a c=3<a,b": step b took two seconds and needs a;
// one that took - has no makespan.
func drawn(t *testing.T, picture string) (card cards.Pipeline, steps []Step) {
	for _, word := range strings.Fields(picture) {
		id, rest, _ := strings.Cut(word, "=")
		took, needs, _ := strings.Cut(rest, "<")
		s := cards.Step{ID: id}
		if needs != "" {
			s.Needs = strings.Split(needs, ",")
		}
		card.Steps = append(card.Steps, s)
		step := Step{ID: id}
		if took != "-" {
			d, err := canon.ParseDecimal(took)
			if err != nil {
				t.Fatal(err)
			}
			step.Makespan = &d
		}
		steps = append(steps, step)
	}
	return card, steps
}

func TestCritical(t *testing.T) {
	for picture, want := range map[string]string{
		"a=1":                         "a 1",
		"a=1 b=2":                     "b 2",
		"a=2 b=2":                     "a 2", // equal: the first
		"a=1 b=1<a c=1.5":             "a b 2",
		"a=1 b=1<a c=2.5":             "c 2.5",
		"a=1 b=5<a c=2<a d=1<b,c":     "a b d 7",
		"a=1 b=2<a c=5<a d=1<b,c":     "a c d 7",
		"d=1<b,c c=5<a b=2<a a=1":     "a c d 7", // as the card lists them
		"a=0.1 b=0.2<a":               "a b 0.3", // exactly
		"a=0.000001 b=0<a":            "a 0.000001",
		"a=1 b=-<a c=3<b":             "c 3", // b never ran: no chain goes through it
		"a=-":                         "none",
		"":                            "none",
		"a=1<b b=1<a":                 "none", // no card of ours
		"a=1 b=1<z":                   "none",
		"a=9999999999999999999999999": "none", // no time that a run can take
		"a=-5":                        "none",
		"a=0":                         "a 0",
		"a=0 b=0<a":                   "a 0",
		"a=3 b=1<a c=1<b d=1<c e=6<a": "a e 9",
		"a=3 b=1<a c=3<b d=3<c e=6<a": "a b c d 10",
	} {
		card, steps := drawn(t, picture)
		got := "none"
		if p := critical(card, steps); p != nil {
			got = strings.Join(p.Steps, " ") + " " + string(p.Makespan)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", picture, got, want)
		}
	}
}
