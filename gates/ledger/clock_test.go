package ledger

import (
	"math"
	"testing"

	"github.com/relseal/relseal/gates"
)

// The published cases hold the edges; here are numbers that no clock shows.
func TestRollbackClock(t *testing.T) {
	good := RollbackClock{TriggerEndMS: 100, DecidedMS: 110, DecidedMonoMS: 5, EffectiveMonoMS: 25, TRollbackMS: 30}
	if got := good.Judge(); got != (RollbackTiming{OK: true, TotalMS: gates.Some(30)}) {
		t.Errorf("%+v", got)
	}
	for i, set := range []func(*RollbackClock, int64){
		func(c *RollbackClock, n int64) { c.TriggerEndMS = n }, func(c *RollbackClock, n int64) { c.DecidedMS = n },
		func(c *RollbackClock, n int64) { c.DecidedMonoMS = n }, func(c *RollbackClock, n int64) { c.EffectiveMonoMS = n },
		func(c *RollbackClock, n int64) { c.TRollbackMS = n }, func(c *RollbackClock, n int64) { c.SkewMaxMS = n },
	} {
		for _, n := range []int64{-1, 1 << 53, math.MaxInt64, math.MinInt64} {
			c := good
			set(&c, n)
			if got := c.Judge(); got != (RollbackTiming{Reason: "E_TIMEBASE_SKEW"}) {
				t.Errorf("member %d = %d: %+v", i, n, got)
			}
		}
	}
}
