// Package cardfile reads the cards that people write as YAML: PipelineCards and
// ParamCards. What it returns are cards of package cards; whoever reads only the
// canonical form needs [cards.ReadPipeline] and [cards.ReadParams], and no YAML.
package cardfile

import (
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/yamldoc"
)

// Pipeline reads the PipelineCard that people wrote as YAML; file is the
// name that faults carry. Its error holds all faults of the file, one a line,
// each with line and member.
//
// In YAML tools, locks, env, rng and weights of the card may be left out, and
// needs, inputs, outputs, env, stdout, same_as and timeout of a step; a timeout
// is a duration such as 5m.
func Pipeline(file string, yaml []byte) (cards.Pipeline, error) {
	doc := yamldoc.Open(file, yaml)
	root := doc.Root()
	if !root.Schema(cards.PipelineSchema) {
		return cards.Pipeline{}, doc.Err()
	}
	p := readPipeline(doc, root)
	doc.ReportAll(p.Check())
	if err := doc.Finish(); err != nil {
		return cards.Pipeline{}, err
	}
	return p.Normal(), nil
}

func readPipeline(doc *yamldoc.Document, root *yamldoc.Mapping) cards.Pipeline {
	opt := root.Optional()
	p := cards.Pipeline{
		Schema: cards.PipelineSchema,
		Card:   readIdentity(root),
		Tools:  opt.Texts("tools"),
		Locks:  opt.Texts("locks"),
		Env:    opt.Texts("env"),
	}
	if rng := opt.Map("rng"); root.Has("rng") {
		p.RNG = &cards.RNG{Family: rng.Text("family"), Seed: rng.Text("seed")}
	}
	for i, m := range root.Maps("steps") {
		p.Steps = append(p.Steps, readStep(doc, i, m))
	}
	p.Weights = readWeights(root)
	return p
}

func readIdentity(root *yamldoc.Mapping) cards.Identity {
	card := root.Map("card")
	return cards.Identity{ID: card.Text("id"), Author: card.Text("author")}
}

func readStep(doc *yamldoc.Document, i int, m *yamldoc.Mapping) cards.Step {
	opt := m.Optional()
	s := cards.Step{
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
		doc.Report(document.At("steps", i, "timeout"), "0 is not a time that a step can take", "leave it out for no timeout")
	}
	return s
}

func readWeights(root *yamldoc.Mapping) cards.Weights {
	m := root.Optional().Map("weights")
	names := m.Names()
	if len(names) == 0 {
		return nil
	}
	w := make(cards.Weights, len(names))
	for _, class := range names {
		w[class] = m.Decimal(class)
	}
	return w
}
