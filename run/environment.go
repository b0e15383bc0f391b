package run

import (
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/envlock/capture"
)

// Environment returns what a PipelineCard asks to be captured. Its steps are held
// to what may be published, for the card is, too.
func Environment(card cards.Pipeline) capture.Request {
	r := capture.Request{Tools: card.Tools, Locks: card.Locks, Env: card.Env}
	for _, s := range card.Steps {
		r.Steps = append(r.Steps, capture.Step{ID: s.ID, Run: s.Run, Env: s.Env})
	}
	if card.RNG != nil {
		r.RNGFamily = card.RNG.Family
	}
	return r
}
