package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/lazyregexp"
)

var (
	// written are the flags that name files which --force overwrites.
	written = []string{"out", "sbom", "certificate", "summary", "junit", "sarif", "svg", "output"}

	// readPlace is in the usage of a flag that names what a command reads.
	readPlace = lazyregexp.New("`(BUNDLE|CARD|COPY|DIR|F|FILE|L|LEDGER|POLICY)[|:`]")
)

// checkForce refuses to overwrite what nobody wants to lose, before the command does
// anything: a private key, a device, or a file that the command itself reads. Without
// args the arguments are not among those.
func checkForce(c *cli.Context, args bool) error {
	if !c.Bool("force") {
		return nil
	}
	var outputs, inputs []string
	if args {
		inputs = c.Args().Slice()
	}
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		values := c.StringSlice(name)
		if values == nil {
			values = []string{c.String(name)}
		}
		if slices.Contains(written, name) {
			outputs = append(outputs, values...)
		} else if doc, ok := f.(cli.DocGenerationFlag); ok && readPlace.MatchString(doc.GetUsage()) {
			inputs = append(inputs, values...)
		}
	}
	for _, output := range outputs {
		there, err := os.Stat(output)
		if err != nil || there.IsDir() {
			continue // nothing is overwritten
		}
		if err := durable.Replaceable(output); err != nil {
			return err
		}
		for _, input := range inputs {
			for _, file := range []string{input, filepath.Join(input, "audit", "trail.jsonl")} {
				if info, err := os.Stat(file); err == nil && os.SameFile(info, there) {
					return &ui.Error{Code: ui.ExitCantCreate, Err: fmt.Errorf("%s: the command reads this file, and does not overwrite it", output)}
				}
			}
		}
	}
	return nil
}
