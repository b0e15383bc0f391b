package clock

import (
	"regexp"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	hex32 := regexp.MustCompile(`^[0-9a-f]{32}$`)
	for name, c := range map[string]*Clock{"system": System(), "process": processClock()} {
		before := time.Now()
		ts, tau, id := c.Now()
		if ts.Before(before) || time.Since(ts) < 0 {
			t.Errorf("%s: wall time %v", name, ts)
		}
		if !hex32.MatchString(id) {
			t.Errorf("%s: named %q", name, id)
		}
		time.Sleep(2 * time.Millisecond)
		ts2, tau2, id2 := c.Now()
		if id2 != id {
			t.Errorf("%s: renamed from %s to %s", name, id, id2)
		}
		if wall, mono := ts2.Sub(ts).Microseconds(), tau2-tau; mono < 2000 || mono-wall > 1e6 || wall-mono > 1e6 {
			t.Errorf("%s: %d µs by the monotonic clock, %d µs by the wall", name, mono, wall)
		}
	}
	if a, b := System(), System(); a != b {
		t.Error("two system clocks")
	}
	if a, b := processClock(), processClock(); a.name == b.name {
		t.Error("two clocks of one name")
	}
}
