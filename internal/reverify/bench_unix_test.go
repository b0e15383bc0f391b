//go:build unix

package reverify_test

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/relseal/relseal/internal/reverify"
	"github.com/relseal/relseal/verify"
)

// cost is the time that went by and the time that all threads used.
type cost struct{ wall, cpu time.Duration }

func (c *cost) of(b *testing.B, work func() error) {
	var before, after unix.Rusage
	start := time.Now()
	err := errors.Join(unix.Getrusage(unix.RUSAGE_SELF, &before), work(), unix.Getrusage(unix.RUSAGE_SELF, &after))
	if err != nil {
		b.Fatal(err)
	}
	c.wall += time.Since(start)
	c.cpu += time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
}

// BenchmarkThousand verifies 1,000 bundles on one processor and on all, a worker on
// each, in turn a hundred at a time, so that a busy machine slows both.
//
// wall-ratio is how many times as fast all were: on an idle machine the number of
// cores. cpu-ratio is how much processor time all took of that of one: near 1, they
// do not get into each other's way, and only the machine is missing for more.
func BenchmarkThousand(b *testing.B) {
	files, o := archive(b, 1000, nil)
	verified := func(r reverify.Result) error {
		if *r.Verdict != verify.Verified {
			return errors.New("not verified")
		}
		return nil
	}
	debug.SetGCPercent(400) // as the command does
	cores := runtime.GOMAXPROCS(0)
	var one, all cost
	for b.Loop() {
		for part := range slices.Chunk(files, 100) {
			runtime.GOMAXPROCS(1) // or the garbage of one worker is collected beside it
			one.of(b, func() error { return reverify.Verify(context.Background(), part, 1, o, verified) })
			runtime.GOMAXPROCS(cores)
			all.of(b, func() error { return reverify.Verify(context.Background(), part, cores, o, verified) })
		}
	}
	b.ReportMetric(float64(cores), "cores")
	b.ReportMetric(float64(one.wall)/float64(all.wall), "wall-ratio")
	b.ReportMetric(float64(all.cpu)/float64(one.cpu), "cpu-ratio")
	b.ReportMetric(float64(len(files)*b.N)/all.wall.Seconds(), "bundles/s")
}
