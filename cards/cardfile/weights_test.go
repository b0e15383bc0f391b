package cardfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/sign"
)

// Weights are in the canonical form where they are set, and only there.
func TestWeights(t *testing.T) {
	p, err := Pipeline("p.yaml", []byte(goodPipeline+"weights: {steps.run: 2, env: \"0.50\", card.id: \"0\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.Marshal()
	want := strings.TrimSuffix(goodPipelineJSON, "}") + `,"weights":{"card.id":"0","env":"0.5","steps.run":"2"}}`
	if err != nil || string(data) != want {
		t.Errorf("got  %s, %v\nwant %s", data, err, want)
	}
	if again, err := cards.ReadPipeline(data); err != nil || again.Weights["steps.run"] != "2" {
		t.Errorf("%v, %v", again.Weights, err)
	}
	q, err := Params("p.yaml", []byte(goodParams+"weights: {params.value: \"3\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	data, err = q.Marshal()
	want = strings.TrimSuffix(goodParamsJSON, "}") + `,"weights":{"params.value":"3"}}`
	if err != nil || string(data) != want {
		t.Errorf("got  %s, %v\nwant %s", data, err, want)
	}
	for _, none := range []string{"weights: {}\n", "weights: null\n"} {
		p, err := Pipeline("p.yaml", []byte(goodPipeline+none))
		if h, e := p.Hash(); err != nil || e != nil || h != sign.Sum([]byte(goodPipelineJSON)) {
			t.Errorf("%q: hash %v, %v, %v", none, h, err, e)
		}
	}
}

func TestWeightFaults(t *testing.T) {
	for member, want := range map[string]string{
		`weights: {steps.rnu: "1"}`:   `p.yaml:25: weights["steps.rnu"]: no member is of the class "steps.rnu" (did you mean "steps.run"?)`,
		`weights: {params: "1"}`:      `p.yaml:25: weights.params: no member is of the class "params" (known: card.author, card.id, env, locks, rng, steps, steps.env, steps.inputs, steps.needs, steps.order, steps.outputs, steps.run, steps.same_as, steps.stdout, steps.timeout, tools, weights)`,
		`weights: {env: "-0.5"}`:      `p.yaml:25: weights.env: "-0.5" is not a weight; want a decimal that is not negative`,
		`weights: {env: heavy}`:       `p.yaml:25: weights.env: want a decimal such as "0.05"; "heavy" is not a decimal number`,
		`weights: {env: 0.5}`:         `p.yaml:25: weights.env: 0.5 without quotes can be read as a floating-point number, which is not exact (quote it: "0.5")`,
		`weights: {env: [1]}`:         `p.yaml:25: weights.env: want a decimal such as "0.05", got a list`,
		`weights: [env]`:              `p.yaml:25: weights: want a mapping, got a list`,
		`weights: {env: 1, env: "2"}`: `p.yaml:25: weights.env: is there twice, first on line 25`,
	} {
		_, err := Pipeline("p.yaml", []byte(goodPipeline+member+"\n"))
		if err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", member, err, want)
		}
	}
	if _, err := Params("p.yaml", []byte(goodParams+`weights: {steps: "1"}`)); err == nil || !strings.Contains(err.Error(), `no member is of the class "steps" (known: card.author, card.id, params, params.domain, params.type, params.unit, params.value, weights)`) {
		t.Error(err)
	}

	// As canonical JSON.
	for member, want := range map[string]string{
		`{}`:               "",
		`null`:             "",
		`{"env":1}`:        "",
		`{"env":"0.50"}`:   "",
		`{"env":"-1"}`:     "weights.env: ",
		`{"run":"1"}`:      "weights.run: ",
		`{"env":"1","":1}`: "",
	} {
		_, err := cards.ReadPipeline([]byte(strings.TrimSuffix(goodPipelineJSON, "}") + `,"weights":` + member + "}"))
		var faults document.Faults
		if err == nil || want != "" && (!errors.As(err, &faults) || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%s: %v", member, err)
		}
	}
}
