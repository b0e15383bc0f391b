package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A trailRun is a run directory that is open for writing.
type trailRun struct {
	dir    string
	key    sign.PublicKey
	log    *audit.Log
	card   trailCard
	inputs map[string]audit.Items // of the step.start events that are known
}

// openTrailRun opens the run directory that the command names, with the card
// that its genesis pins.
func openTrailRun(env *ui.Env, c *cli.Context) (*trailRun, error) {
	dir := c.Args().First()
	file, err := trailFile(dir)
	if err != nil {
		return nil, err
	}
	if file == dir {
		return nil, ui.UsageHint(fmt.Sprintf("%s: %s is not a run directory", c.Command.HelpName, dir), "name the directory that relseal trail start made")
	}
	key, err := env.SigningKey(c)
	if err != nil {
		return nil, err
	}
	log, err := env.OpenLog(c, file, key, true)
	if err != nil {
		return nil, err
	}
	r := &trailRun{dir: dir, key: key.Public(), log: log, inputs: map[string]audit.Items{}}
	if r.card, err = readTrailCard(dir, log.Genesis()); err != nil {
		log.Close()
		return nil, err
	}
	for _, torn := range log.Torn() {
		env.Say("hint", ui.TornText(torn))
	}
	return r, nil
}

// append appends events; what is wrong with one of them is said of the run.
func (r *trailRun) append(drafts ...audit.Draft) ([]audit.Record, error) {
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
func (r *trailRun) appendAll(drafts []audit.Draft) ([]audit.Record, error) {
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
func (r *trailRun) complete(d *audit.Draft) error {
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
func (r *trailRun) restsOn(d *audit.Draft) bool {
	if d.Action != audit.ActionStepEnd || d.Path.Value == nil || !r.card.has(*d.Path.Value) {
		return false
	}
	_, known := r.inputs[*d.Path.Value]
	return !known
}

// startedWith returns the inputs of a step's step.start. If it is not known, the
// log is asked: another program may have recorded it.
func (r *trailRun) startedWith(id string) (audit.Items, bool, error) {
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

// A trailCard is what a PipelineCard says of each event.
type trailCard struct {
	cards.Pipeline
	code map[string]sign.Digest // of the steps
}

func readTrailCard(dir string, g audit.Genesis) (trailCard, error) {
	if g.PipelineCard.Hash == nil {
		return trailCard{}, fmt.Errorf("%s: holds a %s, not a run", dir, g.Purpose)
	}
	file := filepath.Join(dir, filepath.FromSlash(bundle.PipelinePath))
	data, err := regular.ReadFile(file, limits.Card)
	if err != nil {
		return trailCard{}, err
	}
	if sign.Sum(data) != *g.PipelineCard.Hash {
		return trailCard{}, fmt.Errorf("%s: not the card that the trail was started with, which is %s", file, g.PipelineCard.Hash)
	}
	p, err := cards.ReadPipeline(data)
	if err != nil {
		return trailCard{}, fmt.Errorf("%s: %w", file, err)
	}
	return newTrailCard(p)
}

func newTrailCard(p cards.Pipeline) (trailCard, error) {
	c := trailCard{p, map[string]sign.Digest{}}
	for _, s := range p.Steps {
		var err error
		if c.code[s.ID], err = s.Hash(); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c trailCard) has(id string) bool {
	_, ok := c.code[id]
	return ok
}

// complete adds what the card says of a draft: the run's seed, and in code.hash
// the step that the event comes from, or relseal where it comes from none. A step
// that the card does not have is refused: no bundle of such a run would verify.
func (c trailCard) complete(d *audit.Draft) error {
	if c.RNG != nil {
		d.Seed = &c.RNG.Seed
	}
	d.Code = sign.Sum([]byte(ui.Producer))
	if d.Path.Value == nil {
		return nil
	}
	code, ok := c.code[*d.Path.Value]
	switch {
	case ok:
		d.Code = code
	case d.Action == audit.ActionStepStart, d.Action == audit.ActionStepEnd:
		return errors.New("the card has no step " + escape.Line(ui.Clipped(*d.Path.Value, 60)))
	}
	return nil
}
