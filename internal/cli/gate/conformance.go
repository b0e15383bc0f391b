package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/conformance"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
)

func conformanceCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "conformance",
		Usage:     "hold this implementation, or another, to a file of cases",
		ArgsUsage: "CASES",
		Description: `Prints a line for each case: pass, fail with what differs, or unknown for a kind that
this version does not implement. With --results the results are those of another
implementation: a line of JSON for each case, {"id":"dec-01","got":{...}}, with the members
that the case's expect has. Exit 0: all pass. Exit 2: one does not, or is unknown.

Example:
  relseal gate conformance testdata/gates/cases.json --kinds decide,sample_size,sample_size_ab,rollback_clock
  relseal gate conformance testdata/gates/cases.json --kinds decide --results theirs.jsonl`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "kinds", Usage: "only cases of these kinds `K,...`; may be repeated"},
			&cli.StringFlag{Name: "results", Usage: "compare the results of another implementation in `F`"},
			ui.JSONFlag(),
		},
		Action: func(c *cli.Context) error { return holdToCases(env, c) },
	}
}

type gateConformed struct {
	Schema  string         `json:"schema"`
	Passed  int            `json:"passed"`
	Failed  int            `json:"failed"`
	Unknown int            `json:"unknown"`
	Cases   []conformedOne `json:"cases"`
}

// conformedOne is a result. Got is JSON as text: its statistics are binary64, which
// canonical JSON has not.
type conformedOne struct {
	ID     string  `json:"id"`
	Kind   string  `json:"kind"`
	Status string  `json:"status"` // pass, fail or unknown
	Fault  *string `json:"fault"`
	Got    *string `json:"got"`
}

func holdToCases(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "CASES"); err != nil {
		return err
	}
	name, data, err := env.ReadInput(c.Args().First(), limits.Manifest)
	if err != nil {
		return err
	}
	var kinds []string
	for _, list := range c.StringSlice("kinds") {
		kinds = append(kinds, strings.Split(list, ",")...)
	}
	var results []conformance.Result
	if file := c.String("results"); file != "" {
		theirName, theirs, err := env.ReadInput(file, limits.Manifest)
		if err != nil {
			return err
		}
		if results, err = conformance.Compare(data, theirs, kinds...); err != nil {
			return fmt.Errorf("%s, %s: %w", name, theirName, err)
		}
	} else {
		results, err = conformance.Run(data, kinds...)
		if k, ok := errors.AsType[conformance.UnknownKindError](err); ok {
			return ui.UsageHint(c.Command.HelpName+": "+k.Error(), ui.Suggest(string(k), conformance.Kinds(), "known are "+strings.Join(conformance.Kinds(), ", ")))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	result, text := conformed(results)
	if err := env.Print(c, result, text); err != nil {
		return err
	}
	if result.Failed+result.Unknown > 0 || result.Passed == 0 {
		return &ui.Answer{Code: ui.ExitReject}
	}
	return nil
}

func conformed(results []conformance.Result) (gateConformed, string) {
	r := gateConformed{Schema: "relseal/gate-conformance/v1", Cases: []conformedOne{}}
	var text strings.Builder
	for _, one := range results {
		out := conformedOne{ID: one.ID, Kind: one.Kind, Status: "unknown", Fault: ui.OrNull(one.Fault), Got: gotText(one.Got)}
		switch one.Status {
		case conformance.Pass:
			out.Status = "pass"
			r.Passed++
		case conformance.Fail:
			out.Status = "fail"
			r.Failed++
		default:
			r.Unknown++
		}
		r.Cases = append(r.Cases, out)
		fmt.Fprintf(&text, "%-7s  %-14s  %s", out.Status, escape.Line(one.Kind), escape.Line(one.ID))
		if one.Fault != "" {
			fmt.Fprintf(&text, "  %s", escape.Line(one.Fault))
		}
		text.WriteByte('\n')
	}
	fmt.Fprintf(&text, "%s: %d pass, %d fail, %d of a kind unknown here\n", ui.Counted(len(results), "case"), r.Passed, r.Failed, r.Unknown)
	return r, text.String()
}

// gotText is a result as compact JSON.
func gotText(got json.RawMessage) *string {
	if len(got) == 0 {
		return nil
	}
	if data, err := canon.Canonicalize(got); err == nil {
		got = data
	}
	return ui.OrNull(string(got))
}
