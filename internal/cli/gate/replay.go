package gate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/observe"
	"github.com/relseal/relseal/sign"
)

func replayCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:      "replay",
		Usage:     "make a recorded decision again and compare",
		ArgsUsage: "DECISION",
		Description: `Takes policy and windows, finds by digest those that the record names, decides, and names
each member of the record that does not follow. The windows may be more than those of the
record: of other releases, or later ones. Exit 0: the same, to the byte. Exit 1: cannot be
made again; the policy or some windows are not those of the record. Exit 2: it differs.

Example:
  relseal gate replay decision.json --policy gates.yaml --windows windows.jsonl
  relseal gate replay decision.json --ledger ledger --json`,
		Flags: []cli.Flag{
			policyFlag("the gate policy in `F` decided; default: with --ledger the one that it registers for the release"),
			&cli.StringFlag{Name: "windows", Usage: "the windows are in the file `F`: JSON lines or CSV; - is standard input"},
			&cli.StringFlag{Name: "ledger", Usage: "they are window events of the ledger in `F`"},
			&cli.StringFlag{Name: "format", Usage: "read the file of --windows as `jsonl|csv`, whatever it looks like"},
			ui.JSONFlag(),
		},
		Action: func(c *cli.Context) error { return replay(env, c) },
	}
}

type replayed struct {
	Schema      string                   `json:"schema"`
	Verdict     string                   `json:"verdict"`
	Recorded    gates.Outcome            `json:"recorded"`
	Follows     *gates.Outcome           `json:"follows"`
	Digest      sign.Digest              `json:"digest"`
	Missing     []string                 `json:"missing"`
	Differences []gates.MemberDifference `json:"differences"`
}

func replay(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c, "DECISION"); err != nil {
		return err
	}
	if err := cmp.Or(needPolicy(c), oneStdin(c)); err != nil {
		return err
	}
	recorded, data, err := readDecision(env, c.Args().First())
	if err != nil {
		return err
	}
	var policy gates.Policy
	if c.IsSet("policy") {
		if policy, err = readPolicy(env, c.String("policy")); err != nil {
			return err
		}
	}
	source, err := readWindows(env, c)
	if err != nil {
		return err
	}
	if !c.IsSet("policy") {
		p, err := source.registered(recorded.Channel, recorded.Release)
		if err != nil {
			return err
		}
		policy = p.Policy
	}
	r, err := gates.Replay(recorded, policy, source.All(func(observe.Of) bool { return true }))
	if err != nil {
		return err
	}
	result := replayed{
		Schema: "relseal/gate-replay/v1", Verdict: "VERIFIED", Recorded: recorded.Decision, Digest: sign.Sum(data),
		Missing: append([]string{}, r.Missing...), Differences: append([]gates.MemberDifference{}, r.Differences...),
	}
	code := ui.ExitOK
	switch {
	case len(r.Missing) > 0:
		result.Verdict, code = "UNDECIDABLE", ui.ExitUndecidable
	case len(r.Differences) > 0:
		result.Verdict, code = "REJECT", ui.ExitReject
	}
	if len(r.Missing) == 0 {
		result.Follows = &r.Decision.Decision
	}
	if err := env.Print(c, result, replayText(result)); err != nil {
		return err
	}
	if code != ui.ExitOK {
		return &ui.Answer{Code: code}
	}
	return nil
}

func replayText(r replayed) string {
	var w strings.Builder
	switch {
	case len(r.Missing) > 0:
		fmt.Fprintf(&w, "UNDECIDABLE  the decision %s cannot be made again\n", r.Recorded)
		for _, m := range r.Missing {
			fmt.Fprintf(&w, "  %s\n", m)
		}
	case len(r.Differences) > 0:
		if r.Recorded == *r.Follows {
			fmt.Fprintf(&w, "REJECT  %s follows, and the record says other things of it: %s\n", *r.Follows, differs(len(r.Differences)))
		} else {
			fmt.Fprintf(&w, "REJECT  recorded %s, and %s follows: %s\n", r.Recorded, *r.Follows, differs(len(r.Differences)))
		}
		for _, d := range r.Differences {
			fmt.Fprintf(&w, "%s\n  - %s\n  + %s\n", escape.Line(d.Name), escape.Line(d.Recorded), escape.Line(d.Follows))
		}
	default:
		fmt.Fprintf(&w, "VERIFIED  %s follows  %s\n", *r.Follows, r.Digest)
	}
	return w.String()
}

func differs(members int) string {
	if members == 1 {
		return "1 member differs"
	}
	return fmt.Sprintf("%d members differ", members)
}

// readDecision reads the record of a decision, as --out writes it or inside of
// what --json prints. It returns its canonical bytes too.
func readDecision(env *ui.Env, file string) (gates.Decision, []byte, error) {
	name, data, err := env.ReadInput(file, limits.Manifest)
	if err != nil {
		return gates.Decision{}, nil, err
	}
	data = bytes.TrimSuffix(data, []byte("\n"))
	var printed struct {
		Schema   string          `json:"schema"`
		Decision json.RawMessage `json:"decision"`
	}
	if canon.Check(data) == nil && json.Unmarshal(data, &printed) == nil && printed.Schema != gates.DecisionSchema && len(printed.Decision) > 0 && printed.Decision[0] == '{' {
		data = printed.Decision
	}
	d, err := gates.ReadDecision(data)
	if err != nil {
		return gates.Decision{}, nil, &ui.Error{Code: ui.ExitNoInput, Err: ui.InFile(name, err), Hint: "relseal gate decide --out F writes a decision"}
	}
	return d, data, nil
}
