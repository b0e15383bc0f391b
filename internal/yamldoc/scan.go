package yamldoc

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/limits"
)

// scan looks at the bytes of a document before any parser does, and reports
// what YAML parsers disagree about below the level of scalars. It returns the
// text with each such character replaced by a harmless one of the same width,
// so that the other faults of the file are found in the same run at the right
// place; false if there is no text to go on with.
func (d *Document) scan(data []byte) (string, bool) {
	if len(data) > limits.Document {
		d.fault(0, nil, fmt.Sprintf("%d bytes; a document has at most %d", len(data), limits.Document), "")
		return "", false
	}
	if !utf8.Valid(data) {
		hint := "save the file as UTF-8"
		d.fault(1+bytes.Count(data[:validPrefix(data)], []byte("\n")), nil, "not valid UTF-8", hint)
		return "", false
	}
	var b strings.Builder
	b.Grow(len(data))
	line, reported := 1, 0
	report := func(text, hint string) {
		if reported != line { // one a line is enough to find it
			d.fault(line, nil, text, hint)
		}
		reported = line
	}
	text := string(data)
	if rest, found := strings.CutPrefix(text, "\ufeff"); found {
		report("begins with a byte order mark", "save the file as UTF-8 without BOM")
		text = rest
	}
	prev, bare := '\n', false
	for i, r := range text {
		switch {
		case r == '\n':
			line++
		case r == '\r' && !strings.HasPrefix(text[i:], "\r\n"):
			if !bare {
				report("a carriage return without a line feed", "end lines with LF or CR LF")
			}
			bare, r = true, '\n'
			line++
		case r == '\t' || r == '\r':
		case r < 0x20 || r >= 0x7f && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff:
			report(fmt.Sprintf("control character U+%04X", r), escapeHint(r))
			r = '?'
		case r == 0x85 || r == 0x2028 || r == 0x2029:
			report(fmt.Sprintf("U+%04X ends a line in YAML 1.1 and not in YAML 1.2", r), escapeHint(r))
			r = '?'
		case r == 0xfeff:
			report("byte order mark in the middle of the text", escapeHint(r))
			r = '?'
		case r == '%' && prev == '\n':
			report("a line begins with %, which starts a directive", "directives are not used here; indent or quote a text")
			r = '#'
		}
		b.WriteRune(r)
		prev = r
	}
	return b.String(), true
}

func escapeHint(r rune) string { return fmt.Sprintf(`in double quotes write \u%04X`, r) }

// validPrefix returns the length of the longest prefix of data that is UTF-8.
func validPrefix(data []byte) int {
	n := 0
	for n < len(data) {
		r, size := utf8.DecodeRune(data[n:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		n += size
	}
	return n
}
