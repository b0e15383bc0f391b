package audit

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
)

// ways are other ways of checking: lines decoded in part where that will do, in
// chunks of one line and of many, by one worker and by three, with and without
// package comb, and without any short cut.
var ways = []struct {
	lines, workers  int
	plain, oneByOne bool
	actions         []string
}{
	{chunkLines, 1, false, false, []string{}},
	{2, 2, false, true, []string{ActionStepStart}},
	{1, 3, true, false, []string{ActionStepEnd, ActionRunEnd}},
}

// agree checks a trail in every other way. All must say what was said in res:
// every test of what Check says is thus one of all these ways.
func agree(t testing.TB, trail string, o CheckOptions, res *result) {
	t.Helper()
	for _, way := range ways {
		other := new(result)
		p := o
		p.EventActions, p.Workers, p.Plain, p.oneByOne = way.actions, way.workers, way.plain, way.oneByOne
		p.Report = func(f finding.Finding) { other.found = append(other.found, f) }
		if o.Event != nil {
			p.Event = func(r Record) { other.events = append(other.events, r) }
		}
		if o.Doubtful != nil {
			p.Doubtful = func(r Record) { other.doubtful = append(other.doubtful, r) }
		}
		var err error
		if other.Summary, err = checkLines(newLineReader(strings.NewReader(trail)), p, way.lines); err != nil {
			t.Fatal(err)
		}
		var events []Record
		for i, r := range res.events {
			if i == 0 || slices.Contains(way.actions, r.E.Action) {
				events = append(events, r)
			}
		}
		if o.Report != nil && !reflect.DeepEqual(other.found, res.found) {
			t.Errorf("%+v: findings\n got %s\nwant %s", way, other.codes(), res.codes())
		}
		if !reflect.DeepEqual(other.Summary, res.Summary) {
			t.Errorf("%+v: summary\n got %+v\nwant %+v", way, other.Summary, res.Summary)
		}
		if !reflect.DeepEqual(other.events, events) {
			t.Errorf("%+v: events %v, want %v", way, ks(other.events), ks(events))
		}
		if !reflect.DeepEqual(other.doubtful, res.doubtful) {
			t.Errorf("%+v: doubtful %v, want %v", way, ks(other.doubtful), ks(res.doubtful))
		}
	}
}
