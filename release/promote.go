package release

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/internal/seen"
	"github.com/relseal/relseal/sign"
)

// A Sealer makes the bundle of a promotion. It may be asked again for the same
// promotion, and must then make the same bytes.
type Sealer interface {
	// Seal writes the bundle where nobody takes it for one, verifies it and returns
	// its bundle.id.
	Seal(context.Context, Promotion) (sign.Digest, error)

	// Publish gives the bundle of the last Seal its name: the ledger has it.
	Publish() error

	// Discard removes what Seal has written and Publish has not named.
	Discard()
}

// A Promotion is what the new bundle says beside what the source says.
type Promotion struct {
	Source   sign.Digest
	Channel  string
	Policy   gates.Policy
	Decision []byte // canonical
	Scores   map[string]string

	First, Last, Count int64 // the windows of the decision, as events

	Ledger Head
	Lines  Lines // of the ledger, up to that head
}

// Lines are the first of a ledger, which may be larger than memory.
type Lines struct {
	Size int64
	Hash sign.Digest
	Open func() (io.ReadCloser, error)
}

// Head is where the ledger stood.
type Head struct {
	H0 sign.Digest
	K  int64
	HK sign.Digest
}

// An Outcome is what came of an attempt to promote.
type Outcome struct {
	Source    *ledger.Release
	Judgement *ledger.Judgement // nil if the promotion was recorded in an earlier call
	Resumed   bool

	Move     *ledger.Move     // nil unless it moved up
	Sealed   *ledger.Release  // what it became
	Rollback *ledger.Rollback // nil unless it is taken back
}

// Override is a human's word for going on although something is unmet.
type Override struct{ Actor, Reason string }

// Promote decides about a bundle that the caller has verified and does what
// follows:
//
//   - PROMOTE: records promote, has s write the bundle of the next channel, records
//     bundle.sealed, has s give the bundle its name.
//   - ROLLBACK: records rollback. So does a trigger that comes to light while a
//     promotion is under way. What was rolled back before, the bundle or what it
//     became, is the same answer.
//   - HOLD, UNDECIDABLE: nothing, unless an override stands in for what is unmet.
//
// A promotion that is recorded already is finished, or its bundle written again.
func (l *Ledger) Promote(ctx context.Context, b Bundle, s Sealer, over *Override) (Outcome, error) {
	if err := l.ours(b); err != nil {
		return Outcome{}, err
	}
	var out Outcome
	recs, err := l.append(func(now ledger.Event) (notes []note, err error) {
		out, notes, err = l.decide(b, over, now)
		return notes, err
	})
	if err != nil {
		return out, err
	}
	for _, r := range recs {
		if m := l.State.Move(r.E.K); m != nil {
			out.Move = m
		}
		if t := l.State.Rollback(r.E.K); t != nil {
			out.Rollback = t
		}
	}
	if out.Move == nil {
		return out, nil
	}
	// The promotion is on record from here; a crash leaves it to be finished.
	out.Sealed, out.Rollback, err = l.seal(ctx, out.Move, s)
	if out.Rollback != nil {
		out.Move, out.Judgement = nil, nil
	}
	return out, err
}

// decide returns the events that follow for b now.
func (l *Ledger) decide(b Bundle, over *Override, now ledger.Event) (Outcome, []note, error) {
	out := Outcome{Source: l.State.Release(b.ID)}
	r := out.Source
	switch {
	case r == nil:
		return out, nil, refuse("relseal release admit records a canary, whose windows then count", "the bundle %s came to no channel of this ledger", b.ID)
	case r.Rollback != nil:
		out.Rollback = r.Rollback
		return out, nil, nil
	case r.Move != nil && r.Move.Fault != nil:
		return out, nil, refuse("cut the version again: a release moves up only as a new canary", "its promotion, event %d, does not follow: %v", r.Move.K, r.Move.Fault)
	case r.Move != nil && r.Move.Sealed != nil && r.Move.Sealed.Rollback != nil:
		out.Rollback = r.Move.Sealed.Rollback
		return out, nil, nil
	case r.Move != nil && r.Move.Sealed != nil:
		out.Move, out.Resumed = r.Move, true
		return out, nil, nil
	}
	j, err := l.State.Judge(r, now.TimeMS)
	if err != nil {
		return out, nil, err
	}
	outcome := j.Outcome()
	out.Judgement = j
	if outcome == gates.Rollback || j.Triggered() {
		notes, err := l.takeBack(j, now)
		return out, notes, err
	}
	if r.Move != nil && j.Lost() {
		return out, nil, nil // what was lost may have taken the promotion back
	}
	if r.Move != nil {
		out.Move, out.Resumed, out.Judgement = r.Move, true, nil
		return out, nil, nil
	}
	promote := ledger.Promoted{Release: r.Bundle, From: r.Channel, To: gates.Above(r.Channel), Decision: j.Digest}
	if outcome == gates.Promote || over != nil {
		if err := l.builtBefore(b, r); err != nil {
			return out, nil, err
		}
	}
	switch {
	case outcome == gates.Promote:
		return out, []note{{action: ledger.ActionPromote, details: promote}}, nil
	case over == nil:
		return out, nil, nil
	case !j.MayOverride():
		return out, nil, &RefusedError{Text: "nobody can override this: " + list(j.Unmet()), Undecided: true}
	}
	k := l.K + 1
	promote.Override = &k
	return out, []note{
		{action: ledger.ActionOverride, actor: over.Actor, notes: over.Reason, details: ledger.Overridden{
			Release: r.Bundle, From: promote.From, To: promote.To, Decision: j.Digest, Unmet: j.Unmet()}},
		{action: ledger.ActionPromote, actor: over.Actor, details: promote},
	}, nil
}

// seal writes the bundle of a promotion, records it and gives it its name. If a
// rollback came first, there is no bundle.
func (l *Ledger) seal(ctx context.Context, m *ledger.Move, s Sealer) (sealed *ledger.Release, back *ledger.Rollback, err error) {
	p, err := l.promotion(m)
	if err != nil {
		return nil, nil, err
	}
	defer s.Discard()
	id, err := s.Seal(seen.With(ctx, l.seen(m)), p)
	if err != nil {
		return nil, nil, err
	}
	// The bundle is whole from here; what is missing is the record of it.
	_, err = l.append(func(ledger.Event) ([]note, error) {
		m := l.State.Move(p.Ledger.K)
		switch {
		case m.Sealed != nil && m.Sealed.Bundle != id:
			return nil, fmt.Errorf("the bundle of event %d was sealed as %s and now is %s", m.K, m.Sealed.Bundle, id)
		case m.Sealed != nil:
			back = m.Sealed.Rollback
			return nil, nil
		case m.Source.Rollback != nil:
			back = m.Source.Rollback
			return nil, nil
		}
		policy := m.Judgement.Policy.Digest
		return []note{{action: ledger.ActionSealed, details: ledger.Sealed{
			Bundle: id, Channel: m.To, Version: m.Source.Version, Policy: &policy, Promote: &m.K}}}, nil
	})
	if err != nil || back != nil {
		return nil, back, err
	}
	// The bundle is on record from here; a crash leaves it to be written again.
	if err := s.Publish(); err != nil {
		return nil, nil, err
	}
	return l.State.Release(id), nil, nil
}

// promotion returns what the bundle of a move says: a function of the ledger up to
// the move's event.
func (l *Ledger) promotion(m *ledger.Move) (Promotion, error) {
	j := m.Judgement
	decision, err := j.Decision.Marshal()
	if err != nil {
		return Promotion{}, err
	}
	p := Promotion{
		Source: m.Source.Bundle, Channel: m.To, Policy: j.Policy.Policy, Decision: decision, Scores: j.Decision.Scores(),
		First: j.First, Last: j.Last, Count: j.Count,
	}
	if r := l.seen(m); r != nil {
		p.Lines, p.Ledger = Lines{r.Size, r.Digest, l.lines(r.Size)}, l.Head()
		return p, nil
	}
	p.Lines, p.Ledger, err = l.prefix(m.K)
	return p, err
}

// seen returns what was read of the ledger up to a promotion, for who verifies its
// bundle; nil if more than that was read, or if something has to be said of the lines that
// a verifier has other words for.
func (l *Ledger) seen(m *ledger.Move) *seen.Ledger {
	if l.K != m.K || len(l.Faults) > 0 || slices.ContainsFunc(l.State.Promotions(m.K), func(m *ledger.Move) bool { return m.Override != nil }) {
		return nil
	}
	c, ok := l.log.Checked()
	if !ok || c.Summary.K != m.K {
		return nil
	}
	return &seen.Ledger{Checked: c, Key: l.o.Signer.Public(), State: l.State, Came: l.came, Marks: l.marks}
}

// lines opens the first bytes of the ledger.
func (l *Ledger) lines(size int64) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		f, err := regular.Open(l.path)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(f, size), f}, nil
	}
}

// prefix reads the lines of the ledger up to event k. What is there does not change:
// a ledger only grows.
func (l *Ledger) prefix(k int64) (Lines, Head, error) {
	f, err := regular.Open(l.path)
	if err != nil {
		return Lines{}, Head{}, err
	}
	defer f.Close()
	r, hash, size := bufio.NewReaderSize(f, limits.Line+1), sha256.New(), int64(0)
	var last []byte
	for range k + 1 {
		if last, err = r.ReadSlice('\n'); err != nil {
			return Lines{}, Head{}, err
		}
		hash.Write(last)
		size += int64(len(last))
	}
	rec, err := audit.ParseRecord(bytes.TrimSuffix(last, []byte("\n")))
	if err != nil {
		return Lines{}, Head{}, err
	}
	return Lines{size, sign.Digest(hash.Sum(nil)), l.lines(size)}, Head{H0: l.H0, K: rec.E.K, HK: rec.H}, nil
}
