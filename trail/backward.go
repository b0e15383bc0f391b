package trail

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
)

// Backward yields the events from the last to the first. With keys the trail
// is verified first, from the front.
func (s *Source) Backward(ctx context.Context) iter.Seq2[Event, error] {
	return s.seq(func() error { return s.backward(ctx) })
}

func (s *Source) backward(ctx context.Context) error {
	whole := io.NewSectionReader(s.file, 0, s.size)
	doubtful := func(int64) bool { return false }
	if s.o.Keys != nil {
		sum, err := audit.Check(regular.UntilDone(ctx, whole), s.checkOptions())
		if err != nil {
			return err
		}
		doubtful = func(k int64) bool {
			return sum.Key == nil || slices.ContainsFunc(sum.Failing, func(r audit.Range) bool { return r.First <= k && k <= r.Last })
		}
		whole.Seek(0, io.SeekStart)
	}
	first, err := audit.NewLineReader(whole).Next()
	if err == io.EOF {
		return s.empty()
	}
	if err != nil {
		return err
	}
	text, err := first.Text()
	if err == nil {
		_, err = audit.ParseHeader(text)
	}
	if err != nil && s.o.Keys == nil {
		return s.notTrail(err)
	}
	back := backReader{r: s.file, start: first.Size(), end: s.size}
	for ctx.Err() == nil {
		l, err := back.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		r, err := l.record()
		if s.o.Keys == nil {
			if !l.lf {
				s.torn()
			} else if err != nil {
				s.reject(fmt.Errorf("%s: the line at byte %d: %w", s.name, l.at, err))
			}
		}
		if err != nil {
			continue
		}
		switch err := s.offer(Event{r, l.text, doubtful(r.E.K)}); {
		case err != nil:
			return err
		case s.o.Limit > 0 && s.given == s.o.Limit:
			return nil
		}
	}
	return ctx.Err()
}

// A backReader reads lines from the end of a file to its start.
type backReader struct {
	r          io.ReaderAt
	start, end int64 // what has not been read
}

type backLine struct {
	text []byte // without its LF; nil if it is above the limit
	size int64
	at   int64
	lf   bool
}

func (l backLine) record() (audit.Record, error) {
	if l.text == nil {
		return audit.Record{}, fmt.Errorf("a line of %d bytes: the limit is %d", l.size, limits.Line)
	}
	return audit.ParseRecord(l.text)
}

func (b *backReader) next() (l backLine, err error) {
	if b.end <= b.start {
		return l, io.EOF
	}
	stop := b.end
	var last [1]byte
	if err := b.readAt(last[:], stop-1); err != nil {
		return l, err
	}
	if l.lf = last[0] == '\n'; l.lf {
		stop--
	}
	if l.at, err = b.lineStart(stop); err != nil {
		return l, err
	}
	b.end, l.size = l.at, stop-l.at
	if l.size <= limits.Line {
		l.text = make([]byte, l.size)
		err = b.readAt(l.text, l.at)
	}
	return l, err
}

// lineStart returns where the line begins that ends at stop.
func (b *backReader) lineStart(stop int64) (int64, error) {
	var chunk [4 * limits.KiB]byte // a few events
	for stop > b.start {
		from := max(b.start, stop-int64(len(chunk)))
		part := chunk[:stop-from]
		if err := b.readAt(part, from); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		stop = from
	}
	return b.start, nil
}

// readAt fills p; a file that has become shorter is an error.
func (b *backReader) readAt(p []byte, at int64) error {
	n, err := b.r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
