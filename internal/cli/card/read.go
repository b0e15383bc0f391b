package card

import (
	"encoding/json"
	"fmt"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/cards/cardfile"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/policyfile"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/cut"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/yamldoc"
	"github.com/relseal/relseal/sign"
)

// A cardKind is what a document is, by its schema.
type cardKind string

const (
	pipelineCard cardKind = "pipeline"
	paramCard    cardKind = "params"
	gatePolicy   cardKind = "gates"
)

func (k cardKind) String() string {
	return map[cardKind]string{pipelineCard: "PipelineCard", paramCard: "ParamCard", gatePolicy: "gate policy"}[k]
}

// A card is a card or policy without faults. Of pipeline and params the one of
// its kind is set.
type card struct {
	kind     cardKind
	digest   sign.Digest
	pipeline cards.Pipeline
	params   cards.Params
}

// readCardFile reads a card or policy from a file, or from standard input for "-".
func readCardFile(env *ui.Env, file string) (card, error) {
	name, data, err := env.ReadInput(file, limits.Card)
	if err != nil {
		return card{}, err
	}
	return parseCard(name, data)
}

// parseCard reads data as canonical JSON if it is that, else as YAML. The two
// differ in more than layout: canonical JSON says timeout_ms where YAML says
// timeout, and lists every member.
func parseCard(name string, data []byte) (card, error) {
	if len(data) > 0 && data[0] == '{' && canon.Check(data) == nil {
		c, err := canonicalCard(data)
		return c, ui.InFile(name, err)
	}
	doc := yamldoc.Open(name, data)
	switch schema := doc.Root().Enum("schema", cards.PipelineSchema, cards.ParamSchema, gates.Schema); schema {
	case cards.PipelineSchema:
		p, err := cardfile.Pipeline(name, data)
		return finished(card{kind: pipelineCard, pipeline: p}, p, err)
	case cards.ParamSchema:
		p, err := cardfile.Params(name, data)
		return finished(card{kind: paramCard, params: p}, p, err)
	case gates.Schema:
		p, err := policyfile.Parse(name, data)
		return finished(card{kind: gatePolicy}, p, err)
	}
	err := doc.Err()
	if again := yamldoc.Open(name, data); again.Root().Optional().AnyText("schema") == cut.ConfigSchema {
		err = hint.With(err, "relseal cut reports the faults of a configuration before it does anything")
	}
	return card{}, err
}

func canonicalCard(data []byte) (card, error) {
	var head struct{ Schema json.RawMessage }
	var schema string
	if json.Unmarshal(data, &head) != nil || json.Unmarshal(head.Schema, &schema) != nil {
		schema = ""
	}
	switch schema {
	case cards.PipelineSchema:
		p, err := cards.ReadPipeline(data)
		return finished(card{kind: pipelineCard, pipeline: p}, p, err)
	case cards.ParamSchema:
		p, err := cards.ReadParams(data)
		return finished(card{kind: paramCard, params: p}, p, err)
	case gates.Schema:
		p, err := gates.ReadPolicy(data)
		return finished(card{kind: gatePolicy}, p, err)
	}
	return card{}, fmt.Errorf("schema: want one of %s, %s, %s, got %s", cards.PipelineSchema, cards.ParamSchema, gates.Schema, document.Quote(schema))
}

// finished returns c with the digest of its document, unless that has faults.
func finished(c card, doc interface{ Marshal() ([]byte, error) }, err error) (card, error) {
	if err != nil {
		return card{}, err
	}
	data, err := doc.Marshal()
	if err != nil {
		return card{}, err
	}
	c.digest = sign.Sum(data)
	return c, nil
}
