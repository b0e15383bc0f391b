package trail

import (
	"cmp"
	"slices"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/limits"
)

// Stats counts events. It is a [Sink].
type Stats struct {
	events                int64
	first, last           *audit.Time // of the first and the last event, in the order of the trail
	action, actor, status tally
}

// Event counts one.
func (t *Stats) Event(ev Event) error {
	e := &ev.E
	t.events++
	ts := e.TS
	if t.first == nil {
		t.first = &ts
	}
	t.last = &ts
	t.action.add(e.Action)
	t.actor.add(e.Actor.String())
	t.status.add(e.Status)
	return nil
}

// Flush does nothing.
func (t *Stats) Flush() error { return nil }

// End does nothing.
func (t *Stats) End() error { return nil }

// Counts are what was counted.
type Counts struct {
	Events int64       `json:"events"`
	First  *audit.Time `json:"first"`
	Last   *audit.Time `json:"last"`
	Action Tally       `json:"action"`
	Actor  Tally       `json:"actor"`
	Status Tally       `json:"status"`
}

// Counts returns what was counted so far.
func (t *Stats) Counts() Counts {
	return Counts{t.events, t.first, t.last, t.action.result(), t.actor.result(), t.status.result()}
}

// A tally counts events by a name. The trail says how many different names there
// are, so their length in all is bounded: what comes after is counted together.
type tally struct {
	counts map[string]int64
	bytes  int
	others int64
}

func (t *tally) add(name string) {
	if name == "" {
		return
	}
	if _, ok := t.counts[name]; !ok && t.bytes+len(name) > limits.MiB {
		t.others++
		return
	} else if !ok {
		t.bytes += len(name)
	}
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	t.counts[name]++
}

// A Tally is how many events there were of each name.
type Tally struct {
	Counts []NameCount `json:"counts"`
	Others int64       `json:"others"` // events of names that are not listed
}

// A NameCount is how many events have a name.
type NameCount struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// result returns the counts, the highest first.
func (t *tally) result() Tally {
	r := Tally{[]NameCount{}, t.others}
	for name, n := range t.counts {
		r.Counts = append(r.Counts, NameCount{name, n})
	}
	slices.SortFunc(r.Counts, func(a, b NameCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return r
}
