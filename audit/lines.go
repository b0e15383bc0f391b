package audit

import (
	"bufio"
	"bytes"
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

// A Line is one line as it was read. If it has no LF, it may not be whole.
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

// Torn reports whether the line is the last one and not whole, as a crash leaves it
// or an append that is going on.
func (l Line) Torn() bool { return l.raw.torn() }

// A lineReader splits a trail into lines in bounded memory: of a line above the
// limit it keeps nothing and goes on after its LF.
type lineReader struct {
	r   *bufio.Reader
	buf []byte
	end error // of the reader; the next call returns it
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64*limits.KiB)}
}

// A rawLine is a line without its LF. The text is valid until the next read.
type rawLine struct {
	text []byte
	size int64 // without the LF
	lf   bool
	last bool // nothing follows
}

// long reports whether the line is above the limit; then it has no text.
func (l rawLine) long() bool { return l.size > limits.Line }

// torn reports whether a line looks like what a crash leaves of an append: no
// LF, or a length that reached the disk before the bytes did, which then read
// as zeros.
func (l rawLine) torn() bool {
	return l.last && !l.long() && (!l.lf || bytes.IndexByte(l.text, 0) >= 0)
}

// next returns the next line, or io.EOF after the last, or the error of reading.
func (lr *lineReader) next() (l rawLine, err error) {
	lr.buf, l, err = lr.read(lr.buf[:0])
	if err == nil && !l.long() {
		l.text = lr.buf
	}
	return l, err
}

// read is next, but appends the text to buf and leaves it out of the line, because it
// moves when buf grows. Of a line that is too long it appends nothing.
func (lr *lineReader) read(buf []byte) (_ []byte, l rawLine, err error) {
	if lr.end != nil {
		return buf, rawLine{}, lr.end
	}
	start := len(buf)
	for {
		part, err := lr.r.ReadSlice('\n')
		l.lf = err == nil
		if l.lf {
			part = part[:len(part)-1]
		}
		l.size += int64(len(part))
		if !l.long() {
			buf = append(buf, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && l.size == 0:
			return buf, rawLine{}, io.EOF
		case err != nil && err != io.EOF:
			return buf[:start], rawLine{}, err
		}
		// Where the end was seen once, reading ends: a trail may grow meanwhile.
		_, lr.end = lr.r.Peek(1)
		l.last = lr.end == io.EOF
		if l.long() {
			buf = buf[:start]
		}
		return buf, l, nil
	}
}
