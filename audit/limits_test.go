package audit

import (
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// What a judge remembers of a trail has a limit each; what it knows already goes on.
func TestTrailLimits(t *testing.T) {
	number := func(i int) sign.Digest { return sign.Digest{byte(i), byte(i >> 8), byte(i >> 16), 1} }
	j := newJudge(CheckOptions{})
	j.genesis = &Genesis{Purpose: PurposeRun}
	j.order.steps, j.times.tau = map[sign.Digest]bool{}, map[sign.Digest]*tick{}
	for i := range limits.Steps - 1 {
		j.order.steps[number(i)] = false
	}
	for i := range limits.Clocks - 1 {
		j.times.tau[number(i)] = &tick{}
	}
	step := func(id, clock string) *Event { return &Event{Action: ActionStepStart, Path: Txt(id), Clock: clock} }
	last := step("last", "last")
	if f := j.limitFault(last); f != "" {
		t.Fatal(f)
	}
	j.order.add(last)
	j.times.add(last)
	j.times.name, j.times.last = "", nil
	for _, tc := range []struct {
		e    *Event
		want string
	}{
		{step("last", "last"), ""},
		{step("more", "last"), "more than 100000 steps start"},
		{step("last", "more"), "more than 100000 clocks"},
		{&Event{Action: "note", Clock: "last"}, ""},
	} {
		if got := j.limitFault(tc.e); got != tc.want {
			t.Errorf("%s %s: %q, want %q", tc.e.Path, tc.e.Clock, got, tc.want)
		}
	}
	j.genesis.Purpose = PurposeLedger
	turn := &Event{Action: ActionKeyRotate, Clock: "last"}
	j.turning.past = make([]sign.KeyID, limits.Rotations-1)
	if f := j.limitFault(turn); f != "" {
		t.Error(f)
	}
	j.turning.past = append(j.turning.past, sign.KeyID{})
	if f := j.limitFault(turn); f != "handed over more than 1000 times" {
		t.Errorf("%q", f)
	}
}

// After a limit nothing is read, and that is one finding.
func TestTrailLimitEnds(t *testing.T) {
	var found []finding.Finding
	j := newJudge(CheckOptions{Report: func(f finding.Finding) { found = append(found, f) }})
	for i, line := range goodRun(t).lines {
		raw := rawLine{text: []byte(line), size: int64(len(line)), lf: true}
		if i == 0 {
			j.header(raw)
			j.times.tau = map[sign.Digest]*tick{}
			for i := range limits.Clocks {
				j.times.tau[sign.Digest{byte(i), byte(i >> 8), byte(i >> 16), 1}] = &tick{}
			}
		} else {
			j.line(raw)
		}
	}
	var limited int
	for _, f := range found {
		if f.Code == finding.Limit && strings.HasSuffix(f.Text, "clocks: from here on nothing is read") && *f.K == 1 {
			limited++
		}
	}
	if !j.over || limited != 1 || j.chain.at.k != 1 {
		t.Errorf("%v, at event %d", found, j.chain.at.k)
	}
}
