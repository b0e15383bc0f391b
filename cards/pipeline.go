package cards

import (
	"bytes"
	"errors"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
)

// ErrSchema is in the error of a canonical document that is none of the wanted
// schema.
var ErrSchema = document.ErrSchema

var errNotNormal = errors.New("not in canonical form: a list whose order has no meaning is not sorted")

// ReadPipeline reads the canonical form of a PipelineCard. What it returns has
// passed the same checks as a card that people wrote.
func ReadPipeline(canonical []byte) (Pipeline, error) {
	var p Pipeline
	if err := document.Unmarshal(canonical, PipelineSchema, &p); err != nil {
		return Pipeline{}, err
	}
	if err := p.Check(); err != nil {
		return Pipeline{}, err
	}
	again, err := canon.Marshal(p.Normal())
	if err != nil {
		return Pipeline{}, err
	}
	if !bytes.Equal(again, canonical) {
		return Pipeline{}, errNotNormal
	}
	return p, nil
}

// Marshal returns the canonical form, whose digest is PipelineCard.hash. A card
// that ReadPipeline would not accept is an error.
func (p Pipeline) Marshal() ([]byte, error) {
	data, err := canon.Marshal(p)
	if err != nil {
		return nil, err
	}
	_, err = ReadPipeline(data)
	return data, err
}

// Check returns nil, or everything that is wrong with the meaning of p. The order of
// lists is not part of it; see [Pipeline.Normal].
func (p Pipeline) Check() error {
	var faults document.Faults
	p.check(faults.Report)
	return faults.Err()
}

// Normal returns p with the lists whose order has no meaning sorted by bytes.
func (p Pipeline) Normal() Pipeline {
	p.Tools, p.Locks, p.Env = sorted(p.Tools), sorted(p.Locks), sorted(p.Env)
	p.Steps = slices.Clone(p.Steps)
	for i, s := range p.Steps {
		p.Steps[i] = s.normal()
	}
	return p
}

func (s Step) normal() Step {
	s.Needs, s.Inputs, s.Outputs = sorted(s.Needs), sorted(s.Inputs), sorted(s.Outputs)
	return s
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }
