package audit

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestClockFault(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, tt := range []struct {
		off     time.Duration
		vouched bool
		want    string // part of the error, "" for none
	}{
		{0, false, ""},
		{-slack, false, ""},
		{-slack - 1, false, "before the latest time on record"},
		{-slack - 1, true, "before the latest time on record"},
		{ClockAhead, false, ""},
		{ClockAhead + 1, false, "2h0m0s after everything on record"},
		{ClockAhead + 1, true, ""},
		{9 * ClockAhead, true, ""},
	} {
		err := ClockFault(at, at.Add(tt.off), tt.vouched)
		var fault *ClockError
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%v, vouched %v: %v", tt.off, tt.vouched, err)
		case err != nil && (!errors.As(err, &fault) || fault.Ahead() != (tt.off > 0)):
			t.Errorf("%v: %#v", tt.off, err)
		}
	}
}
