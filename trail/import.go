package trail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// An Appended acknowledges what is on disk.
type Appended struct {
	Count   int64         `json:"count"`
	K       int64         `json:"k"` // of the last event
	HK      sign.Digest   `json:"H_k"`
	Refused []RefusedLine `json:"refused"` // at most 10,000 of them

	RefusedTotal int64 `json:"refused_total"`
}

// A RefusedLine is a line of a stream that was not taken, and why.
type RefusedLine struct {
	Line int64  `json:"line"`
	Why  string `json:"why"`
}

// Add counts events that were appended.
func (a *Appended) Add(recs ...audit.Record) {
	a.Count += int64(len(recs))
	for _, r := range recs {
		a.K, a.HK = r.E.K, r.H
	}
}

// Appended returns the state of a run to which nothing was appended yet.
func (r *Run) Appended() *Appended {
	a := &Appended{Refused: []RefusedLine{}}
	a.K, a.HK = r.log.Head()
	return a
}

// ImportOptions say what happens to a line that is refused.
type ImportOptions struct {
	KeepGoing bool              // it alone is left out; else what comes after it is, too
	Refused   func(RefusedLine) // is told of it; may be nil
}

// A ReadError reports that a stream of drafts could not be read.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }

// Import appends the events of a stream of drafts, one a line, in batches: as many as are
// there. A line that is refused is no error, but is in the result, which tells what is on
// disk whatever the error.
func (r *Run) Import(ctx context.Context, in io.Reader, o ImportOptions) (*Appended, error) {
	if o.Refused == nil {
		o.Refused = func(RefusedLine) {}
	}
	im := &importer{run: r, o: o, result: r.Appended()}
	err := im.all(ctx, in)
	return im.result, err
}

// An importer appends the lines of a stream in batches.
type importer struct {
	run    *Run
	o      ImportOptions
	line   int64        // that was read last
	size   int64        // of the lines of the batch
	held   *audit.Draft // of that line: it waits for the batch before it
	result *Appended
}

// A lineBatch is what one call of AppendAll gets.
type lineBatch struct {
	drafts  []audit.Draft
	lines   []int64 // their numbers
	refused []RefusedLine
}

// A lineFault reports a line that is refused; the stream goes on after it.
type lineFault struct{ error }

func (im *importer) all(ctx context.Context, in io.Reader) error {
	f := newFeed(ctx, in)
	for {
		if more, err := f.wait(); err != nil || !more {
			return ofReading(err)
		}
		for lines := audit.NewLineReader(f); lines != nil; {
			b, end, err := im.read(lines)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if fault := im.write(b); fault != nil {
				return fault
			}
			if im.result.RefusedTotal > 0 && !im.o.KeepGoing {
				return nil
			}
			if err != nil {
				return ofReading(err)
			}
			if end {
				lines = nil
			}
		}
	}
}

func ofReading(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &ReadError{err}
}

// read returns the drafts of the lines that are there, as many as are worth a
// batch; end says that there are no more for now.
func (im *importer) read(lines *audit.LineReader) (b lineBatch, end bool, err error) {
	for im.size = 0; im.size < limits.MiB && len(b.drafts) < 1000; {
		d, err := im.next(lines)
		if err == io.EOF {
			return b, true, nil
		}
		if err == nil && len(b.drafts) > 0 && im.run.restsOn(d) {
			im.held = d
			return b, false, nil
		}
		if err == nil {
			if err = im.run.complete(d); err != nil {
				err = lineFault{err}
			}
		}
		if _, ok := errors.AsType[lineFault](err); ok {
			b.refused = append(b.refused, RefusedLine{Line: im.line, Why: err.Error()})
			if !im.o.KeepGoing {
				return b, false, nil
			}
			continue
		}
		if err != nil {
			return b, false, err
		}
		b.drafts, b.lines = append(b.drafts, *d), append(b.lines, im.line)
	}
	return b, false, nil
}

// next returns the next draft.
func (im *importer) next(lines *audit.LineReader) (*audit.Draft, error) {
	if d := im.held; d != nil {
		im.held = nil
		return d, nil
	}
	for {
		l, err := lines.Next()
		if err != nil {
			return nil, err
		}
		im.line, im.size = im.line+1, im.size+l.Size()
		text, err := l.Text()
		if err != nil {
			return nil, lineFault{err}
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		d, err := audit.ImportDraft(text)
		if err != nil {
			return nil, lineFault{err}
		}
		return &d, nil
	}
}

// write appends a batch; the error is of writing, not of a draft.
func (im *importer) write(b lineBatch) error {
	for len(b.drafts) > 0 {
		recs, err := im.run.appendAll(b.drafts)
		im.result.Add(recs...)
		if err == nil {
			break
		}
		refused, ok := errors.AsType[*audit.DraftError](err)
		if !ok {
			return err
		}
		line := RefusedLine{Line: b.lines[refused.Index], Why: refused.Err.Error()}
		if !im.o.KeepGoing {
			b.refused = []RefusedLine{line} // what is wrong later was never tried
			break
		}
		b.refused = append(b.refused, line)
		b.drafts, b.lines = b.drafts[refused.Index+1:], b.lines[refused.Index+1:]
	}
	slices.SortFunc(b.refused, func(x, y RefusedLine) int { return int(x.Line - y.Line) })
	for _, r := range b.refused {
		im.o.Refused(r)
		if im.result.RefusedTotal++; len(im.result.Refused) < limits.Findings {
			im.result.Refused = append(im.result.Refused, r)
		}
	}
	return nil
}
