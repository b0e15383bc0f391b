package audit

import (
	"bytes"
	"context"
	"errors"
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

// maxWrite is how many bytes a batch writes at once: two hundred events of the usual
// size. So it waits for the disk two hundred times less often; with more, a crash would
// leave more events of which nobody knows whether they are on disk.
const maxWrite = 256 * limits.KiB

// AppendAll appends an event for each draft, with one write and one sync for about
// two hundred of them: waiting for the disk is what appending costs most. It returns
// the records of the events that are on disk, which are the first of drafts; all of
// them, unless there is an error.
//
// A draft that is refused ends the batch: the events before it are written, and the
// error is a [*DraftError]. If writing fails, or signing many events at once, the trail
// is cut back to the events that are returned, or the log refuses to go on, as in
// Append. A crash may leave events of the batch that were not acknowledged; the next
// Open keeps those that are whole.
func (l *Log) AppendAll(drafts []Draft) (recs []Record, err error) {
	return l.appendAll(drafts, nil)
}

// ErrMoved reports a trail to which others have appended since the caller read it.
var ErrMoved = errors.New("the trail went on in the meantime")

// AppendAllAt is AppendAll for drafts that depend on what the trail says up to event k,
// or 0 for the genesis. If k is no longer the last event, nothing is appended and the
// error is ErrMoved.
func (l *Log) AppendAllAt(k int64, drafts []Draft) ([]Record, error) {
	return l.appendAll(drafts, &k)
}

func (l *Log) appendAll(drafts []Draft, after *int64) ([]Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b batch
	err := l.withLock(func() error {
		if after != nil && *after != l.judge.chain.at.k {
			return ErrMoved
		}
		b = newBatch(l, len(drafts))
		defer b.release()
		for i, d := range drafts {
			if err := b.add(d, i); err != nil {
				if fault := b.flush(); fault != nil {
					err = fault
				}
				return err
			}
		}
		return b.flush()
	})
	return b.written(), err
}

// A batch is several events on their way to the disk. The judge knows them already,
// because whether an event is allowed depends on those before it. While lines are being
// written, the next events are prepared and signed, in bulk if the signer can.
type batch struct {
	log         *Log
	recs        []Record // of the events that were prepared
	onDisk      int      // how many of them are on disk
	chainOnDisk chain    // after these

	lines   []byte // to be written next
	chain   chain  // after them
	end     int64  // bytes of the trail after them
	last    int64  // of them in the last line
	writing *write // what is being written
	spare   []byte // memory for lines
}

// A write is a part of a batch on its way to the disk.
type write struct {
	lines  []byte
	recs   int // how many of the batch are on disk after it
	chain  chain
	last   int64
	result chan error
}

func newBatch(l *Log, n int) batch {
	b := batch{log: l, chainOnDisk: l.judge.chain, recs: make([]Record, 0, n), end: l.size}
	b.lines, b.spare = l.buffers[0][:0], l.buffers[1][:0]
	l.buffers = [2][]byte{}
	return b
}

// release leaves the memory for lines to the next batch, unless a long line has made it
// large.
func (b *batch) release() {
	b.await()
	for i, m := range [][]byte{b.lines, b.spare} {
		if cap(m) <= 2*maxWrite {
			b.log.buffers[i] = m
		}
	}
}

// written returns the records of the events that are on disk.
func (b *batch) written() []Record { return b.recs[:b.onDisk] }

// add prepares the event of d, which is draft i of the batch.
func (b *batch) add(d Draft, i int) error {
	j := b.log.judge
	refuse := func(err error) error { return &DraftError{i, j.chain.at.k + 1, err} }
	if j.closed {
		return refuse(ErrClosed)
	}
	next, err := b.log.prepare(d)
	if err == nil && !b.log.signsInBulk() {
		err = b.log.sign(&next)
	}
	if err != nil {
		return refuse(err)
	}
	if len(b.lines) > 0 && len(b.lines)+len(next.line)+1 > maxWrite {
		if err := b.send(); err != nil {
			return err
		}
	}
	b.log.trackLine(&next.event, b.end, int64(len(next.line)))
	b.last = int64(len(next.line)) + 1
	b.end += b.last
	b.lines = append(append(b.lines, next.line...), '\n')
	b.recs = append(b.recs, next.record)
	b.chain = next.chain
	j.chain = next.chain
	j.add(&next.event.E)
	j.advanceKey(&next.event.E)
	return nil
}

// flush returns once all lines are on disk.
func (b *batch) flush() error {
	if err := b.send(); err != nil {
		return err
	}
	return b.await()
}

// send begins to write the lines, once those before them are on disk.
func (b *batch) send() error {
	fault := b.sign()
	if err := b.await(); err != nil {
		return err
	}
	if fault != nil {
		b.undo()
		return fault
	}
	if len(b.lines) == 0 {
		return nil
	}
	if err := b.log.ctx.Err(); err != nil {
		b.log.err = context.Cause(b.log.ctx)
		b.undo()
		return b.log.err
	}
	w := &write{b.lines, len(b.recs), b.chain, b.last, make(chan error, 1)}
	b.writing, b.lines, b.spare = w, b.spare[:0], nil
	go func() { w.result <- b.log.write(w.lines) }()
	return nil
}

// sign signs the lines in bulk, if they were not signed one by one in add.
func (b *batch) sign() error {
	if !b.log.signsInBulk() || len(b.lines) == 0 {
		return nil
	}
	recs := b.recs[b.onDisk:]
	if b.writing != nil {
		recs = b.recs[b.writing.recs:]
	}
	heads := make([][]byte, len(recs))
	for i := range recs {
		heads[i] = recs[i].H[:]
	}
	sigs, err := b.log.signBulk(heads)
	if err != nil {
		return err
	}
	rest := b.lines
	for i := range recs {
		end := bytes.IndexByte(rest, '\n')
		recs[i].Sig = sigs[i]
		fillSignature(rest[:end], sigs[i])
		rest = rest[end+1:]
	}
	return nil
}

// await waits until what is being written is on disk.
func (b *batch) await() error {
	w := b.writing
	if w == nil {
		return nil
	}
	b.writing = nil
	if err := <-w.result; err != nil {
		b.undo()
		return err
	}
	b.onDisk, b.chainOnDisk, b.spare = w.recs, w.chain, w.lines
	b.log.lastSize = w.last
	return nil
}

// undo drops the events that were not written. A judge cannot forget what it was given,
// so a new one reads the trail once more, unless the log refuses to go on.
func (b *batch) undo() {
	b.lines, b.recs = nil, b.recs[:b.onDisk]
	l := b.log
	l.judge.chain = b.chainOnDisk
	if l.err != nil {
		return
	}
	before, size := l.judge, l.size
	again := before.o
	again.Event = nil // it was called with all these events before, or they are returned
	l.judge, l.size = newJudge(again), 0
	l.openSteps, l.latest = nil, Time{}
	if err := l.readAll(); err != nil {
		l.judge, l.size, l.err = before, size, err
		return
	}
	l.judge.o.Event = before.o.Event
}
