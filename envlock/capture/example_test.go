package capture_test

import (
	"context"
	"fmt"
	"log"

	"github.com/relseal/relseal/envlock/capture"
)

func ExampleCheck() {
	ctx := context.Background()
	lock, err := capture.Capture(ctx, capture.Request{Tools: []string{"go"}, Env: []string{"CGO_ENABLED"}})
	if err != nil {
		log.Fatal(err)
	}
	found, err := capture.Check(ctx, lock, capture.Request{}) // at once, so that nothing has changed
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range found.Drift {
		fmt.Println(d)
	}
	fmt.Println(*found.Got == found.Want)
	// Output: true
}
