package cards

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
)

// Weights says how much a difference counts in [Comparison.RiskIndex], by the
// class of the member that differs; a class that is not named counts 1.
//
// They are a member of the card that is absent when unset, so a card without
// them has the hash that it had before there were weights.
type Weights map[string]canon.Decimal

// The impact of a difference: that S32-18 sums up, between 0 and 1.
const (
	impactRuns   canon.Decimal = "1"   // other things run, on other inputs, or make other outputs
	impactChecks canon.Decimal = "0.5" // what runs is the same; what is recorded of it, compared or allowed is not
	impactLabel  canon.Decimal = "0.1" // a name for people
)

// The classes of members, with the impact of a difference. Params have one class
// more, params.value, whose impact depends on the values.
var (
	pipelineClasses = map[string]canon.Decimal{
		"card.author":   impactLabel,
		"card.id":       impactLabel,
		"env":           impactRuns,
		"locks":         impactChecks,
		"rng":           impactRuns,
		"steps":         impactRuns, // a step that came or went
		"steps.env":     impactRuns,
		"steps.inputs":  impactRuns,
		"steps.needs":   impactRuns,
		"steps.order":   impactChecks, // it breaks ties only
		"steps.outputs": impactRuns,
		"steps.run":     impactRuns,
		"steps.same_as": impactChecks,
		"steps.stdout":  impactRuns,
		"steps.timeout": impactChecks,
		"tools":         impactChecks,
		"weights":       impactLabel,
	}
	paramClasses = map[string]canon.Decimal{
		"card.author":   impactLabel,
		"card.id":       impactLabel,
		"params":        impactRuns, // a parameter that came or went
		"params.domain": impactChecks,
		"params.type":   impactRuns,
		"params.unit":   impactRuns,
		classValue:      impactRuns, // at most
		"weights":       impactLabel,
	}
)

const classValue = "params.value"

func (w Weights) check(report document.Reporter, classes map[string]canon.Decimal) {
	known := slices.Sorted(maps.Keys(classes))
	for i, class := range slices.Sorted(maps.Keys(w)) {
		at := document.At("weights", class)
		if _, ok := classes[class]; !ok {
			hint := "known: " + strings.Join(known, ", ")
			if i < 20 { // a hostile card has many
				if better := document.Suggest(class, known); better != "" {
					hint = better
				}
			}
			report(at, fmt.Sprintf("no member is of the class %s", document.Quote(class)), hint)
			continue
		}
		if d, err := canon.ParseDecimal(string(w[class])); err != nil || d.Rat().Sign() < 0 {
			report(at, fmt.Sprintf("%s is not a weight; want a decimal that is not negative", document.Quote(string(w[class]))), "")
		}
	}
}

// of returns the weight of a class.
func (w Weights) of(class string) canon.Decimal {
	if d, ok := w[class]; ok {
		return d
	}
	return "1"
}
