package release

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/inquiry"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/trail"
	"github.com/relseal/relseal/verify"
)

func statusCommand(env *ledgerEnv) *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "show what stands on each channel, and what its next step waits for",
		ArgsUsage: "LEDGER",
		Description: `Shows the head of each channel with its version, age and windows, and what relseal
release promote would say of it now. With --key the ledger is verified; without it is
only read. The exit code is 2 if a rollback is due or under way, 66 if the ledger is
damaged or an event of it does not follow, 1 if something of it is undecidable.

Example:
  relseal release status ledger --key release.pub
  relseal release status ledger --json | jq '.channels[].outcome'`,
		Flags: append([]cli.Flag{ui.TrustFlag()}, append(knownFlags(), ui.JSONFlag())...),
		Action: func(c *cli.Context) error {
			if err := ui.ExactArgs(c, "LEDGER"); err != nil {
				return err
			}
			if c.IsSet("head-out") && !c.IsSet("key") {
				return ui.UsageHint(c.Command.HelpName+": --head-out needs --key", "a head that nobody has verified is worth nothing")
			}
			return env.status(c)
		},
	}
}

// statusResult is what release status says.
type statusResult struct {
	Schema   string          `json:"schema"`
	Product  string          `json:"product"`
	Verified bool            `json:"verified"`
	H0       sign.Digest     `json:"H_0"`
	K        int64           `json:"k"`
	Policy   *sign.Digest    `json:"policy"` // the last one registered
	Channels []statusChannel `json:"channels"`
	Open     []statusOpen    `json:"rollbacks"` // under way
	Faults   []statusFault   `json:"faults"`
	remembered
}

// statusChannel is the head of a channel.
type statusChannel struct {
	Channel  string        `json:"channel"`
	Release  *sign.Digest  `json:"release"` // null: nothing stands there
	Version  *string       `json:"version"`
	SinceMS  *int64        `json:"since_ms"`
	AgeMS    *int64        `json:"age_ms"`
	Windows  int64         `json:"windows"`
	Outcome  gates.Outcome `json:"outcome"` // "" without a head
	Unmet    []string      `json:"unmet"`
	Earliest *int64        `json:"earliest_ms"` // the earliest promotion, null if nothing tells
	Pending  *int64        `json:"pending"`     // the event of a promotion whose bundle is not recorded
}

type statusOpen struct {
	Release    sign.Digest  `json:"release"`
	Channel    string       `json:"channel"`
	To         *sign.Digest `json:"to"`
	K          int64        `json:"k"`
	DeadlineMS *int64       `json:"deadline_ms"`
}

func newStatusOpen(t *ledger.Rollback) statusOpen {
	return statusOpen{t.Source.Bundle, t.Source.Channel, t.To, t.Event.K, t.DeadlineMS}
}

type statusFault struct {
	Code string `json:"code"`
	K    int64  `json:"k"`
	Text string `json:"text"`
}

func (env *ledgerEnv) status(c *cli.Context) error {
	file, err := inquiry.LedgerFile(c.Args().First())
	if err != nil {
		return err
	}
	f, err := regular.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := env.recall(c, file); err != nil {
		return err
	}
	var code error
	verified := len(c.StringSlice("key")) > 0
	if verified {
		trusted, err := keys.LoadTrusted(c.StringSlice("key"))
		if err != nil {
			return err
		}
		report, err := trail.Judge(regular.UntilDone(c.Context, f), audit.CheckOptions{Keys: trusted})
		if err != nil {
			return err
		}
		for _, found := range report.Diag.Findings {
			if found.Verdict != finding.Note {
				env.Say("error", fmt.Sprintf("%s: %s: %s", file, found.Code, found.Text))
			}
		}
		if code = ui.AnswerToTrail(report); code != nil {
			verified = false
			if report.Verdict == verify.Reject { // 2 says that a rollback is due
				code = &ui.Answer{Code: ui.ExitNoInput, Hint: code.(*ui.Answer).Hint}
			}
		}
		if _, err := f.Seek(0, 0); err != nil {
			return err
		}
	} else {
		env.Say("hint", "nothing is verified; --key names the key that you trust")
	}
	v, err := release.ReadKnown(regular.UntilDone(c.Context, f), nil, env.memory.heads)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	env.memory.highest = v.Known
	if v.Genesis.Purpose != audit.PurposeLedger {
		return fmt.Errorf("%s: the trail of a %s, not a ledger", file, v.Genesis.Purpose)
	}
	now, _, _ := ui.SystemClock().Now()
	r, text, err := newStatus(v, now.UnixMilli())
	if err != nil {
		return err
	}
	r.Verified = verified
	if verified {
		env.memory.head = func() release.Head { return release.Head{H0: v.H0, K: v.K, HK: v.HK} }
	}
	var end string
	r.remembered, end = env.remembered()
	if h := v.Known; h != nil {
		end = fmt.Sprintf("known to event %d, by %s\n", h.K, escape.Line(h.Source.Name))
	}
	if err := env.Print(c, r, text+end); err != nil {
		return err
	}
	due := len(r.Open) > 0 || slices.ContainsFunc(r.Channels, func(s statusChannel) bool { return s.Outcome == gates.Rollback })
	if code == nil && due {
		return &ui.Answer{Code: ui.ExitReject, Hint: rollBackNow}
	}
	if err := v.Whole(); code == nil && err != nil {
		return err
	}
	return code
}

func newStatus(v *release.View, nowMS int64) (statusResult, string, error) {
	r := statusResult{Schema: "relseal/release-status/v1", Product: v.Genesis.Product, H0: v.H0, K: v.K, Open: []statusOpen{}, Faults: []statusFault{}}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s, H_0 %s\n", escape.Line(r.Product), ui.Counted(r.K, "event"), r.H0)
	if all := v.State.Policies(); len(all) > 0 {
		last := all[len(all)-1]
		r.Policy = &last.Digest
		fmt.Fprintf(&text, "policy %s, event %d\n", last.Digest, last.K)
	} else {
		text.WriteString("no policy is registered\n")
	}
	if k := v.State.Lost(); k > 0 {
		fmt.Fprintf(&text, "event %d says that events were lost: nothing is promoted over this ledger any more\n", k)
	}
	for _, name := range []string{gates.Canary, gates.Stable, gates.LTS} {
		s, lines, err := channelStatus(v, name, nowMS)
		if err != nil {
			return r, "", err
		}
		r.Channels = append(r.Channels, s)
		text.WriteString(lines)
	}
	for _, rel := range v.State.Releases() {
		if t := rel.Rollback; t != nil && t.Done == nil {
			r.Open = append(r.Open, newStatusOpen(t))
			text.WriteString(rollbackText(t))
		}
	}
	for _, f := range v.Faults {
		r.Faults = append(r.Faults, statusFault{f.Code, f.K, f.Text})
		fmt.Fprintf(&text, "event %d does not follow: %v\n", f.K, f)
	}
	return r, text.String(), nil
}

func channelStatus(v *release.View, name string, nowMS int64) (statusChannel, string, error) {
	s := statusChannel{Channel: name, Unmet: []string{}}
	rel := v.State.Head(name)
	if rel == nil {
		return s, fmt.Sprintf("%-7s nothing\n", name), nil
	}
	j, err := v.State.Judge(rel, nowMS)
	if err != nil {
		return s, "", err
	}
	age := nowMS - rel.SinceMS
	s.Release, s.Version, s.SinceMS, s.AgeMS, s.Windows = &rel.Bundle, &rel.Version, &rel.SinceMS, &age, j.Count
	s.Outcome, s.Unmet = j.Outcome(), j.Unmet()
	if at, ok := j.Decision.Earliest(); ok {
		s.Earliest = &at
	}
	text := fmt.Sprintf("%-7s %s for %s, %s\n        %s\n", name, rel.Version, (time.Duration(age) * time.Millisecond).Round(time.Second), ui.Counted(j.Count, "window"), rel.Bundle)
	switch {
	case rel.Move != nil && rel.Move.Sealed == nil:
		s.Pending = &rel.Move.K
		text += fmt.Sprintf("        its promotion, event %d, is not finished: call promote again\n", rel.Move.K)
	case rel.Move != nil:
		text += fmt.Sprintf("        went on to %s\n", rel.Move.To)
	default:
		for line := range strings.Lines(j.Explain()) {
			text += "        " + line
		}
	}
	return s, text, nil
}

// rollBackNow is what to do where a rollback is on record.
const rollBackNow = "roll it back now, then relseal release rollback --done"

// rollbackText says what a rollback asks for.
func rollbackText(t *ledger.Rollback) string {
	s := fmt.Sprintf("rolled back %s from %s, event %d\n", t.Source.Bundle, t.Channel, t.Event.K)
	if t.To != nil {
		s += fmt.Sprintf("  return to %s\n", *t.To)
	} else {
		s += "  there is no bundle to return to: take it out of service\n"
	}
	if t.DeadlineMS != nil && t.Done == nil {
		s += fmt.Sprintf("  finish by %s, then relseal release rollback --done\n", ui.InstantText(*t.DeadlineMS))
	}
	return s
}
