//go:build !js

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "this program is for a browser: go run ./web/verify/build DIR makes its page")
	os.Exit(64)
}
