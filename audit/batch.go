package audit

import (
	"bytes"
	"fmt"

	"github.com/relseal/relseal/internal/limits"
)

// A DraftError reports the draft that ended a batch, for a reason for which
// [Log.Append] would have refused it.
type DraftError struct {
	Index int   // in the batch
	K     int64 // the number that the event would have had
	Err   error
}

func (e *DraftError) Error() string { return fmt.Sprintf("event %d: %v", e.K, e.Err) }
func (e *DraftError) Unwrap() error { return e.Err }

// maxWrite is how many bytes a batch writes at once: a hundred events of usual
// size, so that the disk is waited for a hundred times less, and no more, because
// a crash puts all of them in doubt.
const maxWrite = 128 * limits.KiB

// AppendAll appends an event for each draft, with one write and one sync for about
// a hundred of them: waiting for the disk is what appending costs most. It returns the records of the events that are on disk, which are the
// first of drafts; all of them, unless there is an error.
//
// A draft that is refused ends the batch, and the events before it are written:
// the error is a [*DraftError]. When writing fails the trail is cut back to what
// the records say, or the log refuses to go on, as in Append. A crash may leave
// events of the batch that were not acknowledged; the next Open keeps those that
// are whole.
func (l *Log) AppendAll(drafts []Draft) (recs []Record, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	unlock, err := l.disk.Lock()
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := unlock(); e != nil && l.err == nil {
			l.err = e
		}
	}()
	if err := l.catchUp(); err != nil {
		l.err = err
		return nil, err
	}
	b := batch{log: l, before: l.judge.chain}
	for i, d := range drafts {
		if err := b.add(d, i); err != nil {
			if fault := b.flush(); fault != nil {
				err = fault
			}
			return b.done, err
		}
	}
	err = b.flush()
	return b.done, err
}

// A batch is lines that are signed and not yet written. The judge has taken them
// in already: whether an event may come depends on those before it.
type batch struct {
	log    *Log
	before chain // of the last line that is on disk
	lines  []byte
	recs   []Record // of lines
	done   []Record // of what is on disk
}

// add draws the event of drafts[i].
func (b *batch) add(d Draft, i int) error {
	j := b.log.judge
	refuse := func(err error) error { return &DraftError{i, j.chain.at.k + 1, err} }
	if j.closed {
		return refuse(ErrClosed)
	}
	line, next, err := b.log.draw(d)
	if err != nil {
		return refuse(err)
	}
	if len(b.lines)+len(line)+1 > maxWrite {
		if err := b.flush(); err != nil {
			return err
		}
	}
	b.lines = append(append(b.lines, line...), '\n')
	b.recs = append(b.recs, next.event.Record)
	j.chain = next.chain
	j.add(&next.event.E)
	return nil
}

// flush writes the lines.
func (b *batch) flush() error {
	if len(b.lines) == 0 {
		return nil
	}
	err := b.log.write(bytes.TrimSuffix(b.lines, []byte{'\n'}))
	if err != nil {
		b.undo()
	} else {
		b.before, b.done = b.log.judge.chain, append(b.done, b.recs...)
	}
	b.lines, b.recs = b.lines[:0], nil
	return err
}

// undo makes the judge forget lines that were not written. What it has learned
// from them cannot be taken out again, so it reads the trail once more, unless
// nothing is appended to it any longer.
func (b *batch) undo() {
	l := b.log
	l.judge.chain = b.before
	if l.err != nil {
		return
	}
	before, size := l.judge, l.size
	l.judge, l.size = newJudge(before.o), 0
	if err := l.catchUp(); err != nil {
		l.judge, l.size, l.err = before, size, err
	}
}
