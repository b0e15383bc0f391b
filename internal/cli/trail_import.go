package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// appended acknowledges what is on disk.
type appended struct {
	Schema  string           `json:"schema"`
	Count   int64            `json:"count"`
	K       int64            `json:"k"` // of the last event
	HK      sign.Digest      `json:"H_k"`
	Refused []ui.RefusedLine `json:"refused"` // at most limits.Findings of them

	RefusedTotal int64 `json:"refused_total"`
}

// newAppended returns the state of a trail to which nothing was appended yet.
func newAppended(log *audit.Log) *appended {
	a := &appended{Schema: "relseal/trail-append/v1", Refused: []ui.RefusedLine{}}
	a.K, a.HK = log.Head()
	return a
}

func (a *appended) add(recs ...audit.Record) {
	a.Count += int64(len(recs))
	for _, r := range recs {
		a.K, a.HK = r.E.K, r.H
	}
}

func (a *appended) text() string {
	return fmt.Sprintf("appended %s; the last is event %d, H_k %s\n", ui.Counted(a.Count, "event"), a.K, a.HK)
}

// trailImport appends the events of a stream.
func trailImport(env *ui.Env, c *cli.Context) error {
	name, in, err := env.OpenInput(c.String("from"))
	if err != nil {
		return err
	}
	defer in.Close()
	run, err := openTrailRun(env, c)
	if err != nil {
		return err
	}
	defer run.log.Close()
	im := &importer{env: env, run: run, name: name, keepGoing: c.Bool("keep-going"), result: newAppended(run.log)}
	fault := im.all(c.Context, in)
	if err := env.PrintDone(c, im.result, im.result.text()); err != nil {
		return err
	}
	if fault == nil && im.result.RefusedTotal > 0 {
		next := "the other lines were appended"
		if !im.keepGoing {
			next = "nothing after that line was appended; --keep-going leaves out the line alone"
		}
		return &ui.Answer{Code: ui.ExitNoInput, Hint: next}
	}
	return fault
}

// An importer appends the lines of a stream in batches.
type importer struct {
	env       *ui.Env
	run       *trailRun
	name      string // of the stream
	keepGoing bool
	line      int64        // that was read last
	size      int64        // of the lines of the batch
	held      *audit.Draft // of that line: it waits for the batch before it
	result    *appended
}

// A lineBatch is what one call of AppendAll gets.
type lineBatch struct {
	drafts  []audit.Draft
	lines   []int64 // their numbers
	refused []ui.RefusedLine
}

// A lineFault reports a line that is refused; the stream goes on after it.
type lineFault struct{ error }

// all returns a nil error too if a line was refused: that is in the result.
func (im *importer) all(ctx context.Context, in io.Reader) error {
	f := newFeed(ctx, in)
	for {
		if more, err := f.wait(); err != nil || !more {
			return im.source(err)
		}
		for lines := audit.NewLineReader(f); lines != nil; {
			b, end, err := im.read(lines)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if fault := im.write(b); fault != nil {
				return fault
			}
			if im.result.RefusedTotal > 0 && !im.keepGoing {
				return nil
			}
			if err != nil {
				return im.source(err)
			}
			if end {
				lines = nil
			}
		}
	}
}

// source names the stream in an error of reading it.
func (im *importer) source(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &ui.Error{Code: ui.ExitIO, Err: fmt.Errorf("%s: %w", im.name, ui.PlainCause(err))}
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
			b.refused = append(b.refused, ui.RefusedLine{Line: im.line, Why: err.Error()})
			if !im.keepGoing {
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
		im.result.add(recs...)
		if err == nil {
			break
		}
		refused, ok := errors.AsType[*audit.DraftError](err)
		if !ok {
			return err
		}
		line := ui.RefusedLine{Line: b.lines[refused.Index], Why: refused.Err.Error()}
		if !im.keepGoing {
			b.refused = []ui.RefusedLine{line} // what is wrong later was never tried
			break
		}
		b.refused = append(b.refused, line)
		b.drafts, b.lines = b.drafts[refused.Index+1:], b.lines[refused.Index+1:]
	}
	slices.SortFunc(b.refused, func(x, y ui.RefusedLine) int { return int(x.Line - y.Line) })
	for _, r := range b.refused {
		im.env.Say("error", fmt.Sprintf("%s: line %d: %s", im.name, r.Line, r.Why))
		if im.result.RefusedTotal++; len(im.result.Refused) < limits.Findings {
			im.result.Refused = append(im.result.Refused, r)
		}
	}
	return nil
}
