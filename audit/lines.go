package audit

import (
	"fmt"
	"io"

	"github.com/relseal/relseal/internal/limits"
)

// A LineReader splits a trail, or the drafts of one, into lines. Its memory is
// bounded whatever it reads: of a line above 1 MiB it keeps the length alone.
type LineReader struct{ lines *lineReader }

// NewLineReader returns a reader of the lines of r. It may read ahead.
func NewLineReader(r io.Reader) *LineReader { return &LineReader{newLineReader(r)} }

// Next returns the next line, io.EOF after the last, or the error of reading. The
// line is valid until the next call.
func (r *LineReader) Next() (Line, error) {
	l, err := r.lines.next()
	return Line{l}, err
}

// A Line is one line as it was read. A line that cannot be trusted to be whole
// has no LF.
type Line struct{ raw rawLine }

// Text returns the line without its LF, or an error if it is above the limit.
func (l Line) Text() ([]byte, error) {
	if l.raw.long() {
		return nil, fmt.Errorf("a line of %d bytes: the limit is %d", l.raw.size, limits.Line)
	}
	return l.raw.text, nil
}

// Size returns how many bytes the line takes, its LF included.
func (l Line) Size() int64 {
	if l.raw.lf {
		return l.raw.size + 1
	}
	return l.raw.size
}

// LF reports whether the line ends in LF.
func (l Line) LF() bool { return l.raw.lf }

// Torn reports whether the line looks like what a crash leaves of an append, or
// like an append that is going on: the last one, and not whole.
func (l Line) Torn() bool { return l.raw.torn() }
