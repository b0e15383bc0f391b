package ledger

import (
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/limits"
)

// A RollbackClock is what was measured of a rollback (S32-32: finished within
// T_rollback). Detection runs on the wall clock, for the window and the decision may be
// of two hosts; execution runs on the monotonic clock of one host, which
// nobody sets.
type RollbackClock struct {
	TriggerEndMS    int64 `json:"trigger_end_ms"` // end of the window that triggered
	DecidedMS       int64 `json:"decided_ms"`
	DecidedMonoMS   int64 `json:"decided_mono_ms"`
	EffectiveMonoMS int64 `json:"effective_mono_ms"` // the previous release is back
	TRollbackMS     int64 `json:"T_rollback_ms"`
	SkewMaxMS       int64 `json:"skew_max_ms,omitzero"`
}

// A RollbackTiming is how long it took.
type RollbackTiming struct {
	OK      bool      `json:"ok"`
	Reason  string    `json:"reason,omitzero"`   // E_ROLLBACK_DEADLINE or E_TIMEBASE_SKEW
	TotalMS gates.Int `json:"total_ms,omitzero"` // unset if the clocks cannot tell
}

// Judge compares detection plus execution with T_rollback; the deadline itself is
// in time.
//
// A clock that runs backwards measures nothing: E_TIMEBASE_SKEW. Decide accepts
// a window that ends up to skew_max after now; a decision that much before the
// end of its window counts as immediate, so that skew never buys time.
func (c RollbackClock) Judge() RollbackTiming {
	for _, t := range []int64{c.TriggerEndMS, c.DecidedMS, c.DecidedMonoMS, c.EffectiveMonoMS, c.TRollbackMS, c.SkewMaxMS} {
		if t < 0 || t > limits.JSONInt {
			return RollbackTiming{Reason: "E_TIMEBASE_SKEW"}
		}
	}
	detection := c.DecidedMS - c.TriggerEndMS
	execution := c.EffectiveMonoMS - c.DecidedMonoMS
	if detection < -c.SkewMaxMS || execution < 0 {
		return RollbackTiming{Reason: "E_TIMEBASE_SKEW"}
	}
	total := max(0, detection) + execution
	if total > c.TRollbackMS {
		return RollbackTiming{Reason: "E_ROLLBACK_DEADLINE", TotalMS: gates.Some(total)}
	}
	return RollbackTiming{OK: true, TotalMS: gates.Some(total)}
}
