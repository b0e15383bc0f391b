package trail_test

import (
	"context"
	"fmt"
	"os"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/trail"
)

func Example() {
	f, err := os.CreateTemp("", "trail")
	if err != nil {
		panic(err)
	}
	defer os.Remove(f.Name())
	f.Write(testbundle.Demo(testbundle.NewKey("release"), "000102030405060708090a0b0c0d0e0f").Trail())
	f.Close()

	// Without keys the events are held to their form alone.
	s, err := trail.Open(f.Name(), trail.Options{Filter: trail.Filter{Action: "step.end"}})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	for e, err := range s.Forward(context.Background()) {
		if err != nil {
			panic(err)
		}
		fmt.Println(e.E.K, e.E.Action, e.E.Path, e.E.Status)
	}
	// Output:
	// 3 step.end build ok
	// 5 step.end rebuild ok
	// 7 step.end test ok
}
