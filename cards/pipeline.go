package cards

import (
	"bytes"
	"errors"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/yamldoc"
)

// ErrSchema is in the error of a canonical document that is none of the wanted
// schema.
var ErrSchema = yamldoc.ErrSchema

var errNotNormal = errors.New("not in canonical form: a list whose order has no meaning is not sorted")

// ParsePipeline reads the PipelineCard that people wrote as YAML; file is the
// name that faults carry. Its error holds all faults of the file, one a line,
// each with line and member.
//
// In YAML tools, locks, env, rng and weights of the card may be left out, and
// needs, inputs, outputs, env, stdout, same_as and timeout of a step; a timeout
// is a duration such as 5m.
func ParsePipeline(file string, yaml []byte) (Pipeline, error) {
	doc := yamldoc.Open(file, yaml)
	root := doc.Root()
	if !root.Schema(PipelineSchema) {
		return Pipeline{}, doc.Err()
	}
	p := parsePipeline(doc, root)
	p.check(doc.Report)
	if err := doc.Finish(); err != nil {
		return Pipeline{}, err
	}
	return p.normal(), nil
}

func parsePipeline(doc *yamldoc.Document, root *yamldoc.Mapping) Pipeline {
	opt := root.Optional()
	p := Pipeline{
		Schema: PipelineSchema,
		Card:   parseIdentity(root),
		Tools:  opt.Texts("tools"),
		Locks:  opt.Texts("locks"),
		Env:    opt.Texts("env"),
	}
	if rng := opt.Map("rng"); root.Has("rng") {
		p.RNG = &RNG{Family: rng.Text("family"), Seed: rng.Text("seed")}
	}
	for i, m := range root.Maps("steps") {
		p.Steps = append(p.Steps, parseStep(doc, i, m))
	}
	p.Weights = parseWeights(root)
	return p
}

func parseIdentity(root *yamldoc.Mapping) Identity {
	card := root.Map("card")
	return Identity{ID: card.Text("id"), Author: card.Text("author")}
}

func parseStep(doc *yamldoc.Document, i int, m *yamldoc.Mapping) Step {
	opt := m.Optional()
	s := Step{
		ID:      m.Text("id"),
		Needs:   opt.Texts("needs"),
		Run:     m.Texts("run"),
		Inputs:  opt.Texts("inputs"),
		Outputs: opt.Texts("outputs"),

		Env:       opt.TextMap("env"),
		Stdout:    opt.Text("stdout"),
		SameAs:    opt.Text("same_as"),
		TimeoutMS: opt.Duration("timeout"),
	}
	if m.Has("timeout") && s.TimeoutMS == 0 {
		doc.Report(yamldoc.At("steps", i, "timeout"), "0 is not a time that a step can take", "leave it out for no timeout")
	}
	return s
}

// ReadPipeline reads the canonical form of a PipelineCard. What it returns has
// passed the same checks as a card that ParsePipeline returns.
func ReadPipeline(canonical []byte) (Pipeline, error) {
	var p Pipeline
	if err := yamldoc.Unmarshal(canonical, PipelineSchema, &p); err != nil {
		return Pipeline{}, err
	}
	var faults yamldoc.Faults
	p.check(faults.Report)
	if err := faults.Err(); err != nil {
		return Pipeline{}, err
	}
	again, err := canon.Marshal(p.normal())
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

// normal returns p with the lists whose order has no meaning sorted by bytes.
func (p Pipeline) normal() Pipeline {
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
