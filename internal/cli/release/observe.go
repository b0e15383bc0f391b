package release

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/observe"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/trail"
)

func observeCommand(env *ledgerEnv) *cli.Command {
	return &cli.Command{
		Name:      "observe",
		Usage:     "append the windows that were measured",
		ArgsUsage: "LEDGER",
		Description: `Windows are JSON, one object a line, or CSV whose header names the members; - is
standard input, read to its end. Their seq is set, or must be the next of the release.
A window that the ledger has already is left out. With --from-trail they are the events
of another trail that have details.window and TS.snapshot.

A refused line is named; nothing of the batch is appended then, with --keep-going only
the line itself is left out. The exit code is 66 either way.

Windows decide nothing, promote does, with one exception: a window that comes after the
promotion of its release and triggers rolls back, now, what the release became (exit 2).

Example:
  relseal release observe ledger --windows windows.jsonl --release greetd-1.0.0.release.tar.zst --key release.key
  ./measure | relseal release observe ledger --windows - --key release.key`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "windows", Usage: "the windows in `F`, - for standard input"},
			&cli.StringFlag{Name: "from-trail", Usage: "take them from the trail `DIR|FILE`, which is verified"},
			&cli.StringFlag{Name: "release", Usage: "windows that name no release are of `BUNDLE`: its bundle.id or its file"},
			&cli.StringSliceFlag{Name: "trust", Usage: "with --from-trail, trust the public key in `FILE`, or every *.pub of a directory, beside the signing key's own; may be repeated"},
			&cli.BoolFlag{Name: "keep-going", Usage: "append the other lines if one is refused"},
			ui.AccountFlag(),
			clockFlag(),
		}, append(ui.SigningFlags(), append(knownFlags(), ui.JSONFlag())...)...),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "LEDGER"); err != nil {
				return err
			}
			if err := ui.Need(c, "key"); err != nil {
				return err
			}
			if c.IsSet("windows") == c.IsSet("from-trail") {
				return ui.UsageHint(c.Command.HelpName+": one of --windows and --from-trail is needed", c.Command.HelpName+" --help")
			}
			return env.observe(c)
		},
	}
}

// observed is what release observe says.
type observed struct {
	Schema   string              `json:"schema"`
	Appended int64               `json:"appended"`
	Known    int64               `json:"known"` // delivered before
	K        int64               `json:"k"`     // of the last event of the ledger
	Refused  []trail.RefusedLine `json:"refused"`
	Late     []string            `json:"late"` // ids of windows of a release that had moved on or was rolled back

	Rollbacks []statusOpen `json:"rollbacks"` // that late windows asked for
	remembered
}

func (env *ledgerEnv) observe(c *cli.Context) error {
	own := ""
	if arg := c.String("release"); arg != "" {
		id, err := bundleID(arg)
		if err != nil {
			return err
		}
		own = id.String()
	}
	l, key, err := env.openLedger(c, c.Args().First(), bundleFile(c.String("release"))...)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Whole(); err != nil {
		return err
	}
	in, err := env.observedLines(c, key)
	if err != nil {
		return err
	}
	for i := range in.Windows {
		if w := &in.Windows[i].Window; w.Release == "" {
			w.Release = own
		}
	}
	return env.appendWindows(c, l, in)
}

// observedLines returns the windows of --windows or --from-trail.
func (env *ledgerEnv) observedLines(c *cli.Context, key sign.Signer) (in observe.Lines, err error) {
	if c.IsSet("from-trail") {
		known, err := ui.ReleaseOptions(c, key)
		if err != nil {
			return in, err
		}
		name := c.String("from-trail")
		file, err := ui.TrailFile(name)
		if err != nil {
			return in, err
		}
		in, err = observe.Trail(c.Context, name, file, known.Keys)
		if _, ok := errors.AsType[*observe.UnverifiedError](err); ok {
			return in, &ui.Error{Code: ui.ExitNoInput, Err: err, Hint: "relseal trail verify says what is wrong; --trust names the key that signs it"}
		}
		return in, readError(err)
	}
	name, r, err := env.OpenInput(c.String("windows"))
	if err != nil {
		return in, err
	}
	defer r.Close()
	in, err = observe.ReadLines(name, r)
	return in, readError(err)
}

// readError gives what failed while windows were read its exit code.
func readError(err error) error {
	if e, ok := errors.AsType[*trail.ReadError](err); ok {
		return &ui.Error{Code: ui.ExitIO, Err: e.Err}
	}
	return err
}

func (env *ledgerEnv) appendWindows(c *cli.Context, l *release.Ledger, in observe.Lines) error {
	result := observed{Schema: "relseal/release-observe/v1", Refused: in.Refused, Late: []string{}, Rollbacks: []statusOpen{}}
	var rollbacks strings.Builder
	keepGoing := c.Bool("keep-going") && !in.Cut // a window that rolls back may be in what was not read
	if len(in.Refused) == 0 || keepGoing {
		ws := make([]gates.Window, len(in.Windows))
		for i, w := range in.Windows {
			ws[i] = w.Window
		}
		o, err := l.Observe(ws, keepGoing)
		if err != nil {
			return err
		}
		result.Appended, result.Known = int64(o.Appended), int64(o.Known)
		observed := map[string]bool{}
		for _, w := range ws {
			observed[w.Release] = true
		}
		for _, r := range l.State.Releases() {
			if observed[r.Bundle.String()] {
				env.noPolicy(l, r)
			}
		}
		for _, w := range o.Late {
			result.Late = append(result.Late, w.ID)
		}
		for _, t := range o.Rollbacks {
			result.Rollbacks = append(result.Rollbacks, newStatusOpen(t))
			rollbacks.WriteString(rollbackText(t))
		}
		for _, i := range slices.Sorted(maps.Keys(o.Refused)) {
			result.Refused = append(result.Refused, trail.RefusedLine{Line: int64(in.Windows[i].Line), Why: o.Refused[i].Error()})
		}
	}
	result.K = l.K
	if result.Refused == nil {
		result.Refused = []trail.RefusedLine{}
	}
	slices.SortStableFunc(result.Refused, func(a, b trail.RefusedLine) int { return int(a.Line - b.Line) })
	for _, r := range result.Refused {
		env.Say("error", fmt.Sprintf("%s: %s %d: %s", in.Name, in.What, r.Line, r.Why))
	}
	if more := in.Faults - len(in.Refused); more > 0 {
		env.Say("error", fmt.Sprintf("%s: %s more", in.Name, ui.Counted(int64(more), "fault")))
	}
	result.Refused = result.Refused[:min(len(result.Refused), limits.Findings)]
	text := fmt.Sprintf("appended %s; the last is event %d\n", ui.Counted(result.Appended, "window"), result.K)
	if result.Known > 0 {
		text += fmt.Sprintf("left out %s that the ledger has\n", ui.Counted(result.Known, "window"))
	}
	if len(result.Late) > 0 {
		text += fmt.Sprintf("%s of a release that has moved on: no decision of the past changes\n", ui.Counted(int64(len(result.Late)), "window"))
	}
	text += rollbacks.String()
	var end string
	result.remembered, end = env.remembered()
	text += end
	if err := env.PrintDone(c, result, text); err != nil {
		return err
	}
	if len(result.Rollbacks) > 0 {
		env.Say("hint", rollBackNow)
	}
	if len(result.Refused) > 0 {
		next := "the others were appended"
		switch {
		case in.Cut:
			next = "nothing was appended: what follows the last of these lines could not be read"
		case !keepGoing && result.Appended == 0:
			next = "nothing was appended; --keep-going leaves out these lines alone"
		}
		code := ui.ExitNoInput
		if len(result.Rollbacks) > 0 {
			code = ui.ExitReject
		}
		return &ui.Answer{Code: code, Hint: next}
	}
	if len(result.Rollbacks) > 0 {
		return &ui.Answer{Code: ui.ExitReject}
	}
	return nil
}
