// Command relseal-ops has the commands of relseal and links what some of them need: the
// drivers of databases, object stores and services. relseal, which links none, runs it for
// such a command.
package main

import (
	"context"
	"os"

	"github.com/relseal/relseal/internal/cli"
	"github.com/relseal/relseal/internal/cli/ui"
)

// drivers are what the commands know by these names.
var drivers = map[string]ui.Driver{}

func main() {
	p := cli.Program{Drivers: drivers}
	os.Exit(p.Main(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr))
}
