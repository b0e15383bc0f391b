// Command relseal cuts signed releases and verifies them.
package main

import (
	"context"
	"os"

	"github.com/relseal/relseal/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr))
}
