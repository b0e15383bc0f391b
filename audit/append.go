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

// A queue lets several calls of Append share one write and one sync, because waiting
// for the disk is most of what appending costs. A call that comes while no other is at
// work leads: it appends the drafts of all calls that wait by then. The calls that come
// while a group is being written are the next group. No call waits for others to come.
type queue struct {
	mu      sync.Mutex
	busy    bool // a call leads, or was told to lead
	waiting []*pending
}

// A pending is the draft of a call that waits, and then its result.
type pending struct {
	draft   Draft
	rec     Record
	err     error
	decided chan bool // receives true when the result is there, or false if this call is to lead
}

// errUnfinished is the result of a draft until the leader of its group has come to it.
var errUnfinished = errors.New("appending was given up")

// join adds p. It returns true if the call of p is to lead, else it waits for the result
// of p.
func (q *queue) join(p *pending) (lead bool) {
	q.mu.Lock()
	q.waiting = append(q.waiting, p)
	lead = !q.busy
	q.busy = true
	q.mu.Unlock()
	return lead || !<-p.decided
}

// take returns the calls that wait as a group, the leader first.
func (q *queue) take() []*pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	group := q.waiting
	q.waiting = nil
	return group
}

// finish tells the other calls of a group that their results are there, and then one of
// the calls that came meanwhile to lead. Many programs append again at once after a call
// has returned; in this order, those calls are in the next group.
func (q *queue) finish(group []*pending) {
	for _, p := range group[1:] {
		p.decided <- true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy = len(q.waiting) > 0; q.busy {
		q.waiting[0].decided <- false
	}
}

// Append stamps d, signs it as the next event and writes it. When it returns
// without an error the event is on disk. Calls at the same time share one write
// and one sync, in the order in which they came.
//
// A draft after which Check would reject the trail, such as a step that ends without a
// start, is refused, and nothing is signed. After trail.close the error is ErrClosed.
// If writing fails, the trail is cut back to the last event that is on disk, and all
// calls that shared the write return the error. If cutting fails too, or if syncing
// fails, nobody knows what is on disk: the log refuses to go on, and the next Open
// finds out.
func (l *Log) Append(d Draft) (Record, error) {
	p := &pending{draft: d, err: errUnfinished, decided: make(chan bool, 1)}
	if l.queue.join(p) {
		group := l.queue.take()
		defer l.queue.finish(group) // also if the signer panics
		l.commit(group)
	}
	return p.rec, p.err
}

// commit appends the drafts of a group and fills in their results.
func (l *Log) commit(group []*pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.withLock(func() error {
		if len(group) == 1 {
			return l.appendOne(group[0])
		}
		return l.appendGroup(group)
	})
	for _, p := range group {
		if p.err == errUnfinished {
			p.err = err
		}
	}
}

// appendOne appends one event. The judge gets it when it is on disk.
func (l *Log) appendOne(p *pending) error {
	if l.judge.closed {
		return ErrClosed
	}
	next, err := l.prepare(p.draft)
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
	l.lastSize = size + 1
	l.trackLine(&next.event, at, size)
	l.judge.chain = next.chain
	l.judge.add(&next.event.E)
	l.judge.advanceKey(&next.event.E)
	p.rec, p.err = next.record, nil
	return nil
}

// appendGroup appends the events of a group. If a draft is refused, the others are
// appended all the same; an error of writing is returned.
func (l *Log) appendGroup(group []*pending) error {
	b := newBatch(l, len(group))
	defer b.release()
	var accepted []*pending
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
		accepted = append(accepted, p)
	}
	if fault == nil {
		fault = b.flush()
	}
	for i, rec := range b.written() {
		accepted[i].rec, accepted[i].err = rec, nil
	}
	return fault
}

// A prepared event is stamped and checked, and lacks nothing but its signature.
type prepared struct {
	line   []byte // without its LF; valid until the next event is prepared
	record Record
	event  parsed
	chain  chain
}

// errSignature reports a signer whose signature its own public key does not verify.
var errSignature = errors.New("the signer's signature does not verify with its own public key")

// prepare makes the next event out of d: it stamps it, and checks it as a reader would.
func (l *Log) prepare(d Draft) (next prepared, err error) {
	// The event before it may be a key.rotate of this batch.
	if err := l.checkKey(); err != nil {
		return next, err
	}
	at := l.judge.chain.at
	e, err := l.stamp(d, at.k+1)
	if err != nil {
		return next, err
	}
	e.Verifier.PKRef = l.judge.trust.ref // after key.rotate, another than in the genesis
	next.record.E = e
	// Nothing is signed that a reader would refuse. A signature of zeros has the
	// length of any other.
	if err := l.encode(&next, at.head); err != nil {
		return next, err
	}
	next.record.latest = l.judge.latestAt(e.TS)
	for _, f := range l.judge.content(&next.event) {
		if f.Verdict == finding.Reject {
			return next, f.Err()
		}
	}
	next.event.signed = sigGood // it will be signed before it is written
	var fault *finding.Finding
	if next.chain, fault, _ = l.judge.chain.apply(&next.event, &l.judge.trust); fault != nil {
		return next, fault.Err()
	}
	return next, nil
}

// signBulk signs heads with a [sign.BulkSigner], a signer in this process. Its signatures
// are not verified here, as [sign.BulkSigner] allows for messages that are signed once
// only: every head depends on the time. Whoever opens the trail next verifies them.
func (l *Log) signBulk(heads [][]byte) ([]sign.Signature, error) {
	sigs, err := l.signer.(sign.BulkSigner).SignAll(heads)
	if err == nil && len(sigs) != len(heads) {
		err = errSignature
	}
	return sigs, err
}

// signsInBulk reports whether the signer is a [sign.BulkSigner].
func (l *Log) signsInBulk() bool {
	_, ok := l.signer.(sign.BulkSigner)
	return ok
}

// sign signs a prepared event. The signature of a signer that may be in another process is
// verified at once.
func (l *Log) sign(next *prepared) (err error) {
	r := &next.record
	if l.signsInBulk() {
		var sigs []sign.Signature
		if sigs, err = l.signBulk([][]byte{r.H[:]}); err == nil {
			r.Sig = sigs[0]
		}
	} else if r.Sig, err = l.signer.Sign(r.H[:]); err == nil && !l.signer.Public().Verify(r.H[:], r.Sig) {
		err = errSignature
	}
	if err == nil {
		fillSignature(next.line, r.Sig)
	}
	return err
}

// encode fills in next.record, next.line and next.event except for the signature.
func (l *Log) encode(next *prepared, head sign.Digest) error {
	r := &next.record
	var start, end int
	if next.line, start, end = l.encoder.unsigned(&r.E); next.line != nil {
		r.ID = sign.Sum(next.line[start:end])
		r.H = Link(head, r.ID)
		fillDigests(next.line, end, r)
		if !changesKey(r.E.Action) && l.decoder.decodeUsual(next.line, &next.event) {
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

// stamp returns event k, made of d and of what the log adds. It shares no memory with
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
	// Empty members have the values that a parsed event has.
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
