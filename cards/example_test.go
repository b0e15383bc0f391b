package cards_test

import (
	"fmt"

	"github.com/relseal/relseal/cards"
)

// What a change of a card may do is judged by the weights that it had before.
func ExampleComparePipelines() {
	before := cards.Pipeline{
		Schema: cards.PipelineSchema,
		Card:   cards.Identity{ID: "greetd", Author: "release@example.test"},
		Steps: []cards.Step{
			{ID: "build", Run: []string{"go", "build", "-o", "out/greetd", "."}, Outputs: []string{"out/greetd"}},
		},
	}.Normal()
	after := before
	after.Steps = []cards.Step{before.Steps[0]}
	after.Steps[0].Run = []string{"go", "build", "-race", "-o", "out/greetd", "."}

	c, err := cards.ComparePipelines(before, after)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range c.Differences {
		fmt.Println(d.Member, "weight", d.Weight)
	}
	// Output:
	// steps[build].run weight 1
}

// A card that a bundle has is read in its canonical form, and in no other.
func ExampleReadParams() {
	card := cards.Params{
		Schema: cards.ParamSchema,
		Card:   cards.Identity{ID: "greetd", Author: "release@example.test"},
		Params: []cards.Param{{Name: "timeout", Type: cards.TypeInteger, Unit: "s", Value: []byte("30")}},
	}.Normal()
	data, err := card.Marshal()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(data))
	_, err = cards.ReadParams(append(data, '\n'))
	fmt.Println(err)
	// Output:
	// {"card":{"author":"release@example.test","id":"greetd"},"params":[{"domain":[],"name":"timeout","type":"integer","unit":"s","value":30}],"schema":"relseal/params/v1"}
	// not in canonical form: first difference at byte 166
}
