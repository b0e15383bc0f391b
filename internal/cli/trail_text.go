package cli

import (
	"fmt"
	"unicode/utf8"
)

// cell returns text in exactly width characters; what is cut off leaves a mark.
func cell(text string, width int) string {
	return fmt.Sprintf("%-*s", width, clipped(text, width))
}

// clipped returns text in at most width characters.
func clipped(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	for i := range text {
		if width--; width == 0 {
			return text[:i] + "…"
		}
	}
	return text
}

// counted returns a number with its noun: 1 event, 2 events.
func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
