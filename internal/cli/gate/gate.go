// Package gate is the command gate: decisions from windows.
package gate

import (
	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/cli/ui"
)

// Command returns the command.
func Command(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "gate",
		Usage: "decide from measured windows whether a release may move up",
		Description: `A policy and windows go in, a decision comes out: PROMOTE, HOLD, ROLLBACK or
UNDECIDABLE, with every reason. Nothing is changed and no clock is read unless asked, so
anybody can make a decision again. docs/gates.md says how to choose a policy.

Example:
  relseal gate decide --policy gates.yaml --windows windows.jsonl --channel canary
  relseal gate explain --policy gates.yaml --windows windows.jsonl --channel canary --svg gate.svg
  relseal gate power --margin 0.01 --windows earlier.csv --beta 0.1 --alpha 0.05`,
		Subcommands: []*cli.Command{
			decideCommand(env),
			explainCommand(env),
			powerCommand(env),
			replayCommand(env),
			backtestCommand(env),
			conformanceCommand(env),
		},
	}
}

func policyFlag(usage string) cli.Flag { return &cli.StringFlag{Name: "policy", Usage: usage} }

// windowFlags say which windows are judged.
func windowFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "windows", Usage: "read the windows from the file `F`: JSON lines or CSV; - is standard input"},
		&cli.StringFlag{Name: "ledger", Usage: "read them from the window events of the ledger in `F`"},
		&cli.StringFlag{Name: "format", Usage: "read the file of --windows as `jsonl|csv`, whatever it looks like"},
		&cli.StringFlag{Name: "channel", Usage: "judge the release on channel `C`: canary, stable or LTS"},
		&cli.StringFlag{Name: "release", Usage: "judge the release with this `ID`, its bundle.id; needed where windows name several"},
		&cli.StringFlag{Name: "since", Usage: "it is on the channel since `T`; default: since its first window"},
	}
}

func nowFlag() cli.Flag {
	return &cli.StringFlag{Name: "now", Usage: "decide as of `T`: a time, or now for this machine's clock; default: the end of the last window"}
}

func outFlags(what string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "out", Usage: "write " + what + " to `F`"},
		&cli.BoolFlag{Name: "force", Usage: "overwrite the file of --out"},
	}
}

// outcomeCode is the exit code of a decision.
func outcomeCode(o gates.Outcome) int {
	switch o {
	case gates.Promote:
		return ui.ExitOK
	case gates.Rollback:
		return ui.ExitReject
	}
	return ui.ExitUndecidable
}
