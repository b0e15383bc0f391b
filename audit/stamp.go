package audit

import (
	"errors"
	"fmt"

	"github.com/relseal/relseal/internal/canon"
	"github.com/relseal/relseal/internal/finding"
	"github.com/relseal/relseal/sign"
)

// A step of the chain that is ready to be written.
type step struct {
	event parsed
	chain chain
}

// draw makes the line of the next event out of d: stamped, checked as a reader
// would, signed, checked again.
func (l *Log) draw(d Draft) (line []byte, next step, err error) {
	at := l.judge.chain.at
	e, err := l.stamp(d, at.k+1)
	if err != nil {
		return nil, next, err
	}
	data, err := canon.Marshal(e)
	if err != nil {
		return nil, next, err
	}
	id := sign.Sum(data)
	r := Record{H: Link(at.head, id), E: e, ID: id}

	// Nothing is signed that a reader would refuse. A signature of zeros has the
	// length of any other.
	unsigned, err := r.Marshal()
	if err != nil {
		return nil, next, err
	}
	if _, err := ParseRecord(unsigned); err != nil {
		return nil, next, err
	}
	for _, f := range l.judge.content(&parsed{Record: r, id: id}) {
		if f.Verdict == finding.Reject {
			return nil, next, fmt.Errorf("%s: %s", f.Code, f.Text)
		}
	}

	if r.Sig, err = l.signer.Sign(r.H[:]); err != nil {
		return nil, next, err
	}
	if line, err = r.Marshal(); err != nil {
		return nil, next, err
	}
	// The record that is returned shares no memory with the draft.
	if r, err = ParseRecord(line); err != nil {
		return nil, next, err
	}
	next.event = parsed{Record: r, id: id}
	var fault *finding.Finding
	if next.chain, fault, _ = l.judge.chain.apply(&next.event, &l.judge.trust); fault != nil {
		return nil, next, errors.New("the signer's signature does not verify with its own public key")
	}
	return line, next, nil
}

// stamp returns event k out of d and what the log adds.
func (l *Log) stamp(d Draft, k int64) (Event, error) {
	inputs, err := NewItems(d.Inputs)
	if err != nil {
		return Event{}, fmt.Errorf("inputs: %w", err)
	}
	outputs, err := NewItems(d.Outputs)
	if err != nil {
		return Event{}, fmt.Errorf("outputs: %w", err)
	}
	ts, tau, clock := l.clock.Now()
	g := l.judge.genesis
	e := Event{
		K:            k,
		TS:           NewTime(ts),
		TauMonoUS:    tau,
		Clock:        clock,
		Actor:        d.Actor,
		Action:       d.Action,
		Run:          g.Run,
		EnvLock:      g.EnvLock,
		PipelineCard: g.PipelineCard,
		ParamCard:    g.ParamCard,
		RNG:          Seed{d.Seed},
		Inputs:       inputs,
		Outputs:      outputs,
		Path:         d.Path,
		TimeSeries:   Snapshot{d.Snapshot},
		Verifier:     g.Verifier,
		Notes:        d.Notes,
		Status:       d.Status,
		Error:        d.Error,
		Details:      d.Details,
	}
	e.Audit.Schema.Version = SchemaVersion
	if !d.Code.IsZero() {
		e.Code.Hash = &d.Code
	}
	return e, nil
}
