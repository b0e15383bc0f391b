package audit

import (
	"fmt"
	"time"
)

// ClockAhead is how far a clock may be ahead of everything on record before somebody
// has to vouch for it.
const ClockAhead = 2 * time.Hour

// A ClockError reports a clock that does not fit what is on record. Nothing that it
// has dated can be taken out of a trail again: one event from the future, and every
// event by a right clock is out of order until that time has come.
type ClockError struct {
	Latest time.Time // on record
	Now    time.Time // by the clock
}

// Ahead reports whether the clock is ahead; else it is behind.
func (e *ClockError) Ahead() bool { return e.Now.After(e.Latest) }

func (e *ClockError) Error() string {
	if e.Ahead() {
		return fmt.Sprintf("the clock of this machine says %s, %s after everything on record: nothing shows that it is right", NewTime(e.Now), e.Now.Sub(e.Latest).Round(time.Minute))
	}
	return fmt.Sprintf("the clock of this machine says %s, %s before the latest time on record, %s", NewTime(e.Now), e.Latest.Sub(e.Now).Round(time.Millisecond), NewTime(e.Latest))
}

// ClockFault returns a [*ClockError] if now is more than a second before latest, the
// latest time that is on record, or more than ClockAhead after it. A trail may have
// been idle for longer: vouched says that somebody has looked at the clock and says so.
// Nothing offline tells the two apart.
func ClockFault(latest, now time.Time, vouched bool) error {
	if ahead := now.Sub(latest); ahead < -slack || ahead > ClockAhead && !vouched {
		return &ClockError{latest, now}
	}
	return nil
}
