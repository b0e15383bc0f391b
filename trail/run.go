package trail

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A Run is a run directory that is open for writing.
type Run struct {
	dir    string
	file   string
	key    sign.PublicKey
	log    *audit.Log
	card   card
	inputs map[string]audit.Items // of the step.start events that are known
}

// RunOptions say how a run directory is written to.
type RunOptions struct {
	Clock    audit.Clock         // nil: that of this machine
	Producer string              // what code.hash of events of no step is the digest of
	Waiting  func(holder string) // is told whose lock on the trail is waited for; may be nil
}

func (o RunOptions) clock() audit.Clock {
	if o.Clock == nil {
		return audit.SystemClock()
	}
	return o.Clock
}

// OpenRun opens a run directory, with the card that its genesis pins. It goes on from the
// state beside the trail, if there is one.
func OpenRun(ctx context.Context, dir string, key sign.Signer, o RunOptions) (*Run, error) {
	file, err := File(dir)
	if err != nil {
		return nil, err
	}
	log, err := audit.OpenWith(ctx, file, key, o.clock(), audit.Options{Resume: true, Waiting: o.Waiting})
	if err != nil {
		return nil, err
	}
	r := &Run{dir: dir, file: file, key: key.Public(), log: log, inputs: map[string]audit.Items{}}
	if r.card, err = readCard(dir, log.Genesis(), o.Producer); err != nil {
		log.Close()
		return nil, err
	}
	return r, nil
}

// Torn returns what a crash had left of a last event, which opening has cleared up.
func (r *Run) Torn() []audit.Torn { return r.log.Torn() }

// Close lets others append to the trail.
func (r *Run) Close() error { return r.log.Close() }

// Append appends events; what is wrong with one of them is said of the run.
func (r *Run) Append(drafts ...audit.Draft) ([]audit.Record, error) {
	for i := range drafts {
		if err := r.complete(&drafts[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", r.dir, err)
		}
	}
	recs, err := r.appendAll(drafts)
	if _, ok := errors.AsType[*audit.DraftError](err); ok {
		err = fmt.Errorf("%s: %w", r.dir, err)
	}
	return recs, err
}

// appendAll appends events that are complete.
func (r *Run) appendAll(drafts []audit.Draft) ([]audit.Record, error) {
	recs, err := r.log.AppendAll(drafts)
	for _, rec := range recs {
		if id := rec.E.Path.String(); rec.E.Action == audit.ActionStepStart && r.card.has(id) {
			r.inputs[id] = rec.E.Inputs
		}
	}
	return recs, err
}

// complete adds to a draft what the card says, and to the end of a step the
// inputs that it started with: an event that contradicts the one before it is
// refused, since no bundle of such a run would verify.
func (r *Run) complete(d *audit.Draft) error {
	if err := r.card.complete(d); err != nil || d.Action != audit.ActionStepEnd || d.Path.Value == nil {
		return err
	}
	inputs, ok, err := r.startedWith(*d.Path.Value)
	if err != nil || !ok {
		return err // a step that was not started, or has ended: the log says so
	}
	if d.Inputs == nil {
		d.Inputs = inputs.Items
		return nil
	}
	if given, err := audit.NewItems(d.Inputs); err == nil && given.Hash != inputs.Hash && d.Status == audit.StatusOK {
		return fmt.Errorf("step %s ended with other inputs than it started; leave them out", escape.Line(*d.Path.Value))
	}
	return nil
}

// restsOn reports whether a draft needs an event that may be on its way to the
// trail: the end of a step its start.
func (r *Run) restsOn(d *audit.Draft) bool {
	if d.Action != audit.ActionStepEnd || d.Path.Value == nil || !r.card.has(*d.Path.Value) {
		return false
	}
	_, known := r.inputs[*d.Path.Value]
	return !known
}

// startedWith returns the inputs of a step's step.start. If it is not known, the
// log is asked: another program may have recorded it.
func (r *Run) startedWith(id string) (audit.Items, bool, error) {
	if inputs, ok := r.inputs[id]; ok {
		return inputs, true, nil
	}
	rec, ok, err := r.log.OpenStep(id)
	if err != nil || !ok || !r.card.has(id) {
		return audit.Items{}, false, err
	}
	r.inputs[id] = rec.E.Inputs
	return rec.E.Inputs, true, nil
}

// A card is what a PipelineCard says of each event.
type card struct {
	cards.Pipeline
	code     map[string]sign.Digest // of the steps
	producer sign.Digest
}

func readCard(dir string, g audit.Genesis, producer string) (card, error) {
	if g.PipelineCard.Hash == nil {
		return card{}, fmt.Errorf("%s: holds a %s, not a run", dir, g.Purpose)
	}
	file := filepath.Join(dir, filepath.FromSlash(bundle.PipelinePath))
	data, err := regular.ReadFile(file, limits.Card)
	if err != nil {
		return card{}, err
	}
	if sign.Sum(data) != *g.PipelineCard.Hash {
		return card{}, fmt.Errorf("%s: not the card that the trail was started with, which is %s", file, g.PipelineCard.Hash)
	}
	p, err := cards.ReadPipeline(data)
	if err != nil {
		return card{}, fmt.Errorf("%s: %w", file, err)
	}
	return newCard(p, producer)
}

func newCard(p cards.Pipeline, producer string) (card, error) {
	c := card{p, map[string]sign.Digest{}, sign.Sum([]byte(producer))}
	for _, s := range p.Steps {
		var err error
		if c.code[s.ID], err = s.Hash(); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c card) has(id string) bool {
	_, ok := c.code[id]
	return ok
}

// complete adds what the card says of a draft: the run's seed, and in code.hash
// the step that the event comes from, or the producer where it comes from none. A step
// that the card does not have is refused: no bundle of such a run would verify.
func (c card) complete(d *audit.Draft) error {
	if c.RNG != nil {
		d.Seed = &c.RNG.Seed
	}
	d.Code = c.producer
	if d.Path.Value == nil {
		return nil
	}
	code, ok := c.code[*d.Path.Value]
	switch {
	case ok:
		d.Code = code
	case d.Action == audit.ActionStepStart, d.Action == audit.ActionStepEnd:
		return errors.New("the card has no step " + escape.Line(escape.Clip(*d.Path.Value, 60)))
	}
	return nil
}
