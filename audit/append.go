package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
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

// A step of the chain that is ready to be written.
type step struct {
	line   []byte // without its LF; valid until the next one is drawn
	record Record
	event  parsed
	chain  chain
}

// errSignature reports a signer that contradicts itself.
var errSignature = errors.New("the signer's signature does not verify with its own public key")

// draw makes the next event out of d, stamped and checked as a reader would. It is
// not signed yet.
func (l *Log) draw(d Draft) (next step, err error) {
	// The event before it may have handed the ledger over.
	if err := l.mine(); err != nil {
		return next, err
	}
	at := l.judge.chain.at
	e, err := l.stamp(d, at.k+1)
	if err != nil {
		return next, err
	}
	e.Verifier.PKRef = l.judge.trust.ref // of a ledger, another than in its genesis after key.rotate
	next.record.E = e
	// Nothing is signed that a reader would refuse. A signature of zeros has the
	// length of any other.
	if err := l.prepare(&next, at.head); err != nil {
		return next, err
	}
	next.record.latest = l.judge.latest(e.TS)
	for _, f := range l.judge.content(&next.event) {
		if f.Verdict == finding.Reject {
			return next, fmt.Errorf("%s: %s", f.Code, f.Text)
		}
	}
	next.event.signed = holds // or it will not be written
	var fault *finding.Finding
	if next.chain, fault, _ = l.judge.chain.apply(&next.event, &l.judge.trust); fault != nil {
		return next, fmt.Errorf("%s: %s", fault.Code, fault.Text)
	}
	return next, nil
}

// signAll signs heads with a [sign.BulkSigner], which is in this process and is believed,
// at once and for many heads together: a head holds the time and is signed once. Whoever
// opens or closes the trail next verifies all of it.
func (l *Log) signAll(heads [][]byte) ([]sign.Signature, error) {
	sigs, err := l.signer.(sign.BulkSigner).SignAll(heads)
	if err == nil && len(sigs) != len(heads) {
		err = errSignature
	}
	return sigs, err
}

// inBulk reports whether the signer is in this process.
func (l *Log) inBulk() bool {
	_, ok := l.signer.(sign.BulkSigner)
	return ok
}

// sign signs what was drawn. The answer of a signer that is elsewhere is held to its
// public key at once.
func (l *Log) sign(next *step) (err error) {
	r := &next.record
	if l.inBulk() {
		var sigs []sign.Signature
		if sigs, err = l.signAll([][]byte{r.H[:]}); err == nil {
			r.Sig = sigs[0]
		}
	} else if r.Sig, err = l.signer.Sign(r.H[:]); err == nil && !l.signer.Public().Verify(r.H[:], r.Sig) {
		err = errSignature
	}
	if err == nil {
		seal(next.line, r.Sig)
	}
	return err
}

// prepare fills in everything of next.record, next.line and next.event but the
// signature.
func (l *Log) prepare(next *step, head sign.Digest) error {
	r := &next.record
	var from, to int
	if next.line, from, to = l.encoder.unsigned(&r.E); next.line != nil {
		r.ID = sign.Sum(next.line[from:to])
		r.H = Link(head, r.ID)
		finish(next.line, to, r)
		if !turns(r.E.Action) && l.decoder.shape(next.line, &next.event) {
			return nil
		}
	}
	data, err := canon.Marshal(r.E)
	if err != nil {
		return err
	}
	r.ID = sign.Sum(data)
	r.H = Link(head, r.ID)
	if next.line, err = r.Marshal(); err != nil {
		return err
	}
	if *r, err = ParseRecord(next.line); err != nil {
		return err
	}
	next.event = parsed{Record: *r, id: r.ID}
	return nil
}

// stamp returns event k out of d and what the log adds. It shares no memory with
// the draft.
func (l *Log) stamp(d Draft, k int64) (Event, error) {
	inputs, err := NewItems(d.Inputs)
	if err != nil {
		return Event{}, fmt.Errorf("inputs: %w", err)
	}
	outputs, err := NewItems(d.Outputs)
	if err != nil {
		return Event{}, fmt.Errorf("outputs: %w", err)
	}
	snapshot := maps.Clone(d.Snapshot)
	// What is empty is empty as a reader has it.
	if snapshot == nil {
		snapshot = map[string]canon.Decimal{}
	}
	for _, s := range []*Items{&inputs, &outputs} {
		if len(s.Items) == 0 {
			s.Items = nil
		}
	}
	ts, tau, clock := l.clock.Now()
	g := l.judge.genesis
	e := Event{
		K:            k,
		TS:           NewTime(ts),
		TauMonoUS:    tau,
		Clock:        clock,
		Actor:        d.Actor.clone(),
		Action:       d.Action,
		Run:          g.Run,
		EnvLock:      g.EnvLock,
		PipelineCard: g.PipelineCard,
		ParamCard:    g.ParamCard,
		RNG:          Seed{clone(d.Seed)},
		Inputs:       inputs,
		Outputs:      outputs,
		Path:         d.Path.clone(),
		TimeSeries:   Snapshot{snapshot},
		Verifier:     g.Verifier,
		Notes:        d.Notes.clone(),
		Status:       d.Status,
		Error:        d.Error.clone(),
		Details:      bytes.Clone(d.Details),
	}
	e.Audit.Schema.Version = SchemaVersion
	if !d.Code.IsZero() {
		e.Code.Hash = &d.Code
	}
	return e, nil
}

func (t Text) clone() Text { return Text{clone(t.Value), clone(t.Commit)} }

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
