package ui

import (
	"fmt"
	"time"
)

// Counted returns a number with its noun: 1 event, 2 events.
func Counted[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// OrNull returns nil for the empty text.
func OrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// InstantText returns milliseconds since 1970 as a time of day, in UTC.
func InstantText(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z") }
