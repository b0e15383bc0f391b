package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A queue lets those who append at the same time share one write and one sync:
// waiting for the disk is what appending costs most. Whoever finds nobody at work
// leads, and takes everybody who waits along; while one group is being written the
// next one gathers. Nobody waits for company.
type queue struct {
	mu      sync.Mutex
	led     bool // somebody leads, or was told to
	waiting []*pending
}

// A pending is a draft that somebody waits for.
type pending struct {
	draft Draft
	rec   Record
	err   error
	turn  chan bool // receives true when it is decided, false to lead
}

// errUnfinished is what stays where the leader did not get there.
var errUnfinished = errors.New("appending was given up")

// join adds p and reports whether its owner leads.
func (q *queue) join(p *pending) (lead bool) {
	q.mu.Lock()
	q.waiting = append(q.waiting, p)
	lead = !q.led
	q.led = true
	q.mu.Unlock()
	return lead || !<-p.turn
}

// take returns those who wait, the leader first.
func (q *queue) take() []*pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	group := q.waiting
	q.waiting = nil
	return group
}

// leave tells the others of a group that they are decided, and then somebody of
// those who came meanwhile to lead: in that order, because many who append come
// back at once, and are then of the next group.
func (q *queue) leave(group []*pending) {
	for _, p := range group[1:] {
		p.turn <- true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.led = len(q.waiting) > 0; q.led {
		q.waiting[0].turn <- false
	}
}

// Append stamps d, signs it as the next event and writes it. When it returns
// without an error the event is on disk. Calls at the same time share one write
// and one sync, in the order in which they came.
//
// A draft that would make the trail one that Check rejects is refused and
// nothing is signed: a step that ends without a start, say. After trail.close
// the error is ErrClosed. When writing fails the trail is cut back to the last
// event that is on disk, and all who shared the write get the error; if cutting
// fails too, or if syncing fails, the log refuses to go on, since what is on disk
// is then unknown; Open will find out.
func (l *Log) Append(d Draft) (Record, error) {
	p := &pending{draft: d, err: errUnfinished, turn: make(chan bool, 1)}
	if l.queue.join(p) {
		group := l.queue.take()
		defer l.queue.leave(group) // also if the signer panics
		l.commit(group)
	}
	return p.rec, p.err
}

// commit decides a group.
func (l *Log) commit(group []*pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.under(func() error {
		if len(group) == 1 {
			return l.one(group[0])
		}
		return l.several(group)
	})
	for _, p := range group {
		if p.err == errUnfinished {
			p.err = err
		}
	}
}

// one appends one event. The judge learns of it when it is on disk.
func (l *Log) one(p *pending) error {
	if l.judge.closed {
		return ErrClosed
	}
	next, err := l.draw(p.draft)
	if err == nil {
		err = l.sign(&next)
	}
	if err != nil {
		return fmt.Errorf("event %d: %w", l.judge.chain.at.k+1, err)
	}
	if err := l.ctx.Err(); err != nil {
		return context.Cause(l.ctx)
	}
	at, size := l.size, int64(len(next.line))
	if err := l.write(append(next.line, '\n')); err != nil {
		return err
	}
	l.last = size + 1
	l.took(&next.event, at, size)
	l.judge.chain = next.chain
	l.judge.add(&next.event.E)
	l.judge.turn(&next.event.E)
	p.rec, p.err = next.record, nil
	return nil
}

// several appends the events of a group. A draft that is refused is nobody
// else's concern; the error is of writing.
func (l *Log) several(group []*pending) error {
	b := newBatch(l, len(group))
	defer b.release()
	var drawn []*pending
	var fault error
	for i, p := range group {
		err := b.add(p.draft, i)
		if refused, ok := errors.AsType[*DraftError](err); ok {
			if p.err = refused; errors.Is(err, ErrClosed) {
				p.err = ErrClosed
			}
			continue
		}
		if fault = err; err != nil {
			break
		}
		drawn = append(drawn, p)
	}
	if fault == nil {
		fault = b.flush()
	}
	for i, rec := range b.done() {
		drawn[i].rec, drawn[i].err = rec, nil
	}
	return fault
}
