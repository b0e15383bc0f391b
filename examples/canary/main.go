// Canary plays the life of two releases: one goes from canary to stable to LTS,
// the other is rolled back. Servers serve, a load measures them, and relseal decides.
//
//	go run .                  the whole story, in about a minute
//	go run . serve ADDRESS    one server
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
)

// Set by the build: go build -ldflags "-X main.version=1.1.0 -X main.fault=drop".
var (
	version = "1.0.0"
	fault   = "" // drop: every fourth answer is an error
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		if err := http.ListenAndServe(os.Args[2], handler()); err != nil {
			fail(err)
		}
		return
	}
	program := flag.String("relseal", "", "the program; by default the one of this repository is built")
	dir := flag.String("dir", "play", "where everything is written; it must not exist")
	flag.Parse()
	if err := play(ctx, *program, *dir); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "canary:", err)
	os.Exit(1)
}
