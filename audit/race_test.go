package audit

import (
	"slices"
	"testing"
	"time"
)

// A race runs ways of doing the same, one after the other, round by round, and
// reports medians of time an event and of ratios within a round: the load of a
// machine changes, and a ratio less.
type race struct {
	b         *testing.B
	names     []string
	runs      []func() error
	wall, cpu map[string][]float64 // nanoseconds an event, in each round
}

func newRace(b *testing.B) *race {
	return &race{b: b, wall: map[string][]float64{}, cpu: map[string][]float64{}}
}

func (r *race) add(name string, run func() error) {
	r.names, r.runs = append(r.names, name), append(r.runs, run)
}

// run takes at least seven rounds of that many events.
func (r *race) run(events int) {
	round := func() {
		for i, name := range r.names {
			start, used := time.Now(), cpuTime()
			if err := r.runs[i](); err != nil {
				r.b.Fatalf("%s: %v", name, err)
			}
			r.wall[name] = append(r.wall[name], float64(time.Since(start))/float64(events))
			r.cpu[name] = append(r.cpu[name], float64(cpuTime()-used)/float64(events))
		}
	}
	for r.b.Loop() {
		round()
	}
	for len(r.wall[r.names[0]]) < 7 {
		round()
	}
	r.b.ReportMetric(0, "ns/op")
	for _, name := range r.names {
		r.b.ReportMetric(median(r.wall[name]), name+"-ns")
		r.b.ReportMetric(median(r.cpu[name]), name+"-cpu-ns")
	}
}

// ratio reports how often the wall time of one fits into that of another.
func (r *race) ratio(of, by string) { r.report(r.wall, of, by, of+"/"+by) }

// cpuRatio is ratio of the time of all processors, which other load on the machine
// changes least.
func (r *race) cpuRatio(of, by string) { r.report(r.cpu, of, by, of+"/"+by+"-cpu") }

func (r *race) report(times map[string][]float64, of, by, name string) {
	var ratios []float64
	for i, t := range times[of] {
		ratios = append(ratios, t/times[by][i])
	}
	r.b.ReportMetric(median(ratios), name)
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
