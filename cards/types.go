// Package cards reads PipelineCards and ParamCards: what a run executes, and
// the parameters it runs with. People write YAML; what is hashed and bundled is
// the canonical JSON of what the YAML says. [ReadPipeline] and [ReadParams] read that
// form; cards/cardfile reads the YAML. A card is named by its Hash, and
// [ComparePipelines] says what a change of one may do.
package cards

import (
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// The schemas of the two cards.
const (
	PipelineSchema = "relseal/pipeline/v1"
	ParamSchema    = "relseal/params/v1"
)

// Identity says which card it is and who answers for it.
type Identity struct {
	ID     string `json:"id"`
	Author string `json:"author"`
}

// Pipeline is a PipelineCard: a graph of steps with explicit edges. Lists whose
// order has no meaning are sorted; the order of steps breaks ties only.
type Pipeline struct {
	Schema string   `json:"schema"`
	Card   Identity `json:"card"`
	Tools  []string `json:"tools"` // programs whose version and digest the EnvLock records
	Locks  []string `json:"locks"` // dependency lock files
	Env    []string `json:"env"`   // variables that are recorded and passed on
	RNG    *RNG     `json:"rng"`
	Steps  []Step   `json:"steps"`

	Weights Weights `json:"weights,omitempty"`
}

// RNG names the generator that the steps use and its seed.
type RNG struct {
	Family string `json:"family"`
	Seed   string `json:"seed"` // unsigned 64-bit, in decimal
}

// Step is one node of the graph.
type Step struct {
	ID      string   `json:"id"`
	Needs   []string `json:"needs"` // ids of the steps that come first
	Run     []string `json:"run"`   // argument vector; no shell is involved
	Inputs  []string `json:"inputs"`
	Outputs []string `json:"outputs"`

	Env       map[string]string `json:"env,omitempty"`       // set for this step alone
	Stdout    string            `json:"stdout,omitzero"`     // an output: the file that standard output goes to
	SameAs    string            `json:"same_as,omitzero"`    // a step whose outputs must have the same digests
	TimeoutMS int64             `json:"timeout_ms,omitzero"` // 0: none
}

// Hash returns the digest of the step's canonical definition: code.hash of its
// events.
func (s Step) Hash() (sign.Digest, error) { return hash(s) }

// Hash returns PipelineCard.hash.
func (p Pipeline) Hash() (sign.Digest, error) { return hash(p) }

// Params is a ParamCard; its parameters are sorted by name.
type Params struct {
	Schema string   `json:"schema"`
	Card   Identity `json:"card"`
	Params []Param  `json:"params"`

	Weights Weights `json:"weights,omitempty"`
}

// Param is one parameter. An integer within ±(2^53−1) is a JSON number; a real
// or a larger integer is a [canon.Decimal]; an enum is a text.
type Param struct {
	Name   string        `json:"name"`
	Value  canon.Value   `json:"value"`
	Type   string        `json:"type"`   // integer, real, enum, boolean or text
	Unit   string        `json:"unit"`   // "1" for a pure number
	Domain []canon.Value `json:"domain"` // [min, max] of a number, the values of an enum; empty: any
}

// Hash returns ParamCard.hash.
func (p Params) Hash() (sign.Digest, error) { return hash(p) }

func hash(v any) (sign.Digest, error) {
	data, err := canon.Marshal(v)
	if err != nil {
		return sign.Digest{}, err
	}
	return sign.Sum(data), nil
}
