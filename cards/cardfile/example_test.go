package cardfile_test

import (
	"fmt"

	"github.com/relseal/relseal/cards/cardfile"
)

func ExamplePipeline() {
	p, err := cardfile.Pipeline("cards/pipeline.yaml", []byte(`
schema: relseal/pipeline/v1
card: {id: greetd-release, author: release@example.test}
tools: [go]
steps:
  - id: pack
    needs: [build]
    run: [tar, -cf, out/greetd.tar, out/greetd]
    inputs: [out/greetd]
    outputs: [out/greetd.tar]
  - id: build
    run: [go, build, -o, out/greetd, .]
    inputs: [go.mod, "*.go"]
    outputs: [out/greetd]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	steps, err := p.Order()
	for _, s := range steps {
		fmt.Println(s.ID, s.AllOutputs())
	}
	fmt.Println(err)
	// Output:
	// build [out/greetd]
	// pack [out/greetd.tar]
	// <nil>
}

// All faults of a file come out in one run.
func ExamplePipeline_faults() {
	_, err := cardfile.Pipeline("cards/pipeline.yaml", []byte(`
schema: relseal/pipeline/v1
card: {id: greetd-release, author: release@example.test}
rng: {family: pcg32, seed: 42}
steps:
  - id: build
    run: [go, build, -o, out/greetd, .]
    outputs: [out/greetd]
  - {id: test, run: [go, test], input: ["*.go"]}
  - {id: pack, run: [tar, -cf, out.tar, out], inputs: [out/greetd]}
`))
	fmt.Println(err)
	// Output:
	// cards/pipeline.yaml:4: rng.seed: want a text, got the integer 42 (quote it: "42")
	// cards/pipeline.yaml:9: steps[1].input: unknown member (did you mean "inputs"?)
	// cards/pipeline.yaml:10: steps[2].inputs[0]: takes in "out/greetd", an output of step "build", which this step does not need (edges are explicit: add "build" to needs)
}

func ExampleParams() {
	p, err := cardfile.Params("cards/params.yaml", []byte(`
schema: relseal/params/v1
card: {id: greetd-params, author: release@example.test}
params:
  - {name: timeout, value: "2.50", type: real, unit: s, domain: ["0.1", 60]}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := p.Marshal()
	fmt.Printf("%s %v\n", data, err)
	// Output:
	// {"card":{"author":"release@example.test","id":"greetd-params"},"params":[{"domain":["0.1","60"],"name":"timeout","type":"real","unit":"s","value":"2.5"}],"schema":"relseal/params/v1"} <nil>
}
