// Package explain is the command explain: what a code means.
package explain

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "say what a finding's code means and what to do",
		ArgsUsage: "[CODE]",
		Description: `Without a code it lists them all.

Example:
  relseal explain E_CHAIN_LINK`,
		Flags: []cli.Flag{ui.JSONFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return all(env, c)
			}
			if err := ui.ExactArgs(c, "CODE"); err != nil {
				return err
			}
			name, _, _ := strings.Cut(c.Args().First(), ":") // METRIC_MISSING:r_tb, as a decision says it
			code := finding.Code(strings.ToUpper(name))
			e, ok := finding.Explain(code)
			if !ok {
				return ui.UsageHint(fmt.Sprintf("unknown code %q", c.Args().First()), ui.Suggest(string(code), CodeNames(), "relseal explain lists the codes"))
			}
			return env.Print(c, newExplanation(e), fmt.Sprintf("%s (%s)\n  %s\nLikely cause:\n  %s\nWhat to do:\n  %s\n",
				e.Code, e.Default, e.Meaning, e.Causes, e.Remedy))
		},
	}
}

// CodeNames returns the codes that can be explained.
func CodeNames() (names []string) {
	for _, c := range finding.Codes() {
		names = append(names, string(c))
	}
	return names
}

type explanation struct {
	Schema  string          `json:"schema"`
	Code    finding.Code    `json:"code"`
	Default finding.Verdict `json:"default"`
	Meaning string          `json:"meaning"`
	Causes  string          `json:"causes"`
	Remedy  string          `json:"remedy"`
}

func newExplanation(e finding.Explanation) explanation {
	return explanation{"relseal/explanation/v1", e.Code, e.Default, e.Meaning, e.Causes, e.Remedy}
}

func all(env *ui.Env, c *cli.Context) error {
	list := struct {
		Schema string        `json:"schema"`
		Codes  []explanation `json:"codes"`
	}{Schema: "relseal/explanations/v1"}
	var text strings.Builder
	for _, code := range finding.Codes() {
		e, _ := finding.Explain(code)
		list.Codes = append(list.Codes, newExplanation(e))
		fmt.Fprintf(&text, "%-19s %-11s %s\n", e.Code, e.Default, e.Meaning)
	}
	return env.Print(c, list, text.String())
}
