package audit

import (
	"bytes"
	"errors"
	"fmt"
	"maps"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

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
