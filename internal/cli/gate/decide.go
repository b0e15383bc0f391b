package gate

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/ledger"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/sign"
)

func decideCommand(env *ui.Env) *cli.Command {
	return &cli.Command{
		Name:  "decide",
		Usage: "apply a policy to the windows of one release",
		Description: `Exit 0: PROMOTE. Exit 1: HOLD or UNDECIDABLE; the reasons say what is missing. Exit 2:
ROLLBACK. An input that cannot be used is none of these but 66. The decision is a
function of policy and windows: without --now it is as of the end of the last window.
That no window was left out, a file cannot show; a ledger can, and without --policy it
says which policy judges them: one that was registered after they began never promotes.
It is read and not verified: relseal trail verify does that.

Example:
  relseal gate decide --policy gates.yaml --windows windows.jsonl --channel canary
  ./measure | relseal gate decide --policy gates.yaml --windows - --channel canary --now now --json
  relseal gate decide --ledger ledger --channel stable --out decision.json`,
		Flags: append(append([]cli.Flag{policyFlag(ledgerPolicy)}, windowFlags()...),
			append(append([]cli.Flag{nowFlag()}, outFlags("the decision's record")...), ui.JSONFlag())...),
		Action: func(c *cli.Context) error { return gateDecide(env, c) },
	}
}

// ledgerPolicy is the usage of --policy where a ledger may have it.
const ledgerPolicy = "apply the gate policy in `F`; default: with --ledger the one that it registers for the release"

// A decision is a decision with what it was made from.
type decision struct {
	gates.Decision
	digest  sign.Digest
	record  []byte // canonical
	policy  gates.Policy
	windows *gates.Windows // of the release on the channel
	unmet   []string       // what stands between a PROMOTE and acting on it
	source  windowSource

	registered *ledger.Registration // of policy, nil with --policy
}

// outcome is the decision's, unless its windows cannot carry a promotion.
func (d decision) outcome() gates.Outcome {
	if d.Decision.Decision == gates.Promote && len(d.unmet) > 0 {
		return gates.Undecidable
	}
	return d.Decision.Decision
}

func gateDecide(env *ui.Env, c *cli.Context) error {
	if err := ui.ExactArgs(c); err != nil {
		return err
	}
	out := c.String("out")
	if out != "" {
		if _, err := ui.OutFile(c); err != nil {
			return err
		}
	}
	d, err := decide(env, c)
	if err != nil {
		return err
	}
	if len(d.unmet) > 0 && d.Decision.Decision == gates.Promote {
		out = "" // the record alone would read as a promotion
	}
	if out != "" {
		if err := writeNew(c, out, d.record); err != nil {
			return err
		}
	}
	if err := env.Print(c, newGateDecided(d, out), d.text()); err != nil {
		return err
	}
	if code := outcomeCode(d.outcome()); code != ui.ExitOK {
		return &ui.Answer{Code: code, Hint: d.advice()}
	}
	return nil
}

// decide reads what the flags name and decides.
func decide(env *ui.Env, c *cli.Context) (d decision, err error) {
	if err := cmp.Or(needPolicy(c), oneStdin(c)); err != nil {
		return d, err
	}
	channel, err := gateChannel(c)
	if err != nil {
		return d, err
	}
	if c.IsSet("policy") {
		if d.policy, err = readPolicy(env, c.String("policy")); err != nil {
			return d, err
		}
	}
	if d.source, err = readWindows(env, c); err != nil {
		return d, err
	}
	in := gates.Input{Channel: channel}
	if in.Release, err = d.source.release(c, channel); err != nil {
		return d, err
	}
	d.windows = d.source.Of(channel, in.Release)
	if n := d.source.Of(channel, "").Len(); n > 0 && in.Release != "" {
		env.Say("hint", fmt.Sprintf("%s of %s of no release: not looked at", ui.Counted(n, "window"), channel))
	}
	if d.windows.Len() == 0 && !c.IsSet("now") {
		return d, d.source.none(channel, in.Release)
	}
	if !c.IsSet("policy") {
		if d.registered, err = d.source.registered(channel, in.Release); err != nil {
			return d, err
		}
		d.policy = d.registered.Policy
	}
	if err := d.times(c, &in); err != nil {
		return d, err
	}
	if d.Decision, err = gates.DecideOver(d.policy, in, d.windows); err != nil {
		return d, err
	}
	if d.record, err = d.Marshal(); err != nil {
		return d, err
	}
	d.digest = sign.Sum(d.record)
	d.unmet = append(d.unmet, d.source.Moved(in.Release)...)
	if d.registered != nil && d.registered.After(in.SinceMS, d.windows.All()) {
		d.unmet = append(d.unmet, "POLICY_LATE")
	}
	if d.source.AheadMS(in.Release) > d.policy.SkewMaxMS {
		d.unmet = append(d.unmet, "WINDOW_EARLY")
	}
	if d.source.Hole(d.windows) {
		d.unmet = append(d.unmet, "WINDOW_MISSING")
	}
	if end, ok := d.Observed.EndMS.Get(); ok && in.NowMS-end > d.policy.StaleMaxMS {
		d.unmet = append(d.unmet, "STALE")
	}
	return d, nil
}

// needPolicy wants --policy, unless a ledger has it.
func needPolicy(c *cli.Context) error {
	if c.IsSet("ledger") && !c.IsSet("policy") {
		return nil
	}
	return ui.Need(c, "policy")
}

// times settles since and now. Without the flags both follow from the windows, so
// that the same input gives the same decision on any day.
func (d *decision) times(c *cli.Context, in *gates.Input) (err error) {
	first := true
	for w := range d.windows.All() {
		if first || w.StartMS < in.SinceMS {
			in.SinceMS, first = w.StartMS, false
		}
		in.NowMS = max(in.NowMS, w.EndMS)
	}
	if at, ok := d.source.Sealed(in.Release); ok {
		in.SinceMS = at
	}
	if c.IsSet("since") {
		if in.SinceMS, err = instant(c, "since"); err != nil {
			return err
		}
	}
	switch {
	case c.String("now") == "now":
		in.NowMS = time.Now().UnixMilli()
	case c.IsSet("now"):
		in.NowMS, err = instant(c, "now")
	}
	if d.windows.Len() == 0 && !c.IsSet("since") && in.SinceMS == 0 {
		in.SinceMS = in.NowMS
	}
	return err
}

// instant returns the time of a flag: RFC 3339, or milliseconds since 1970 as
// windows have them.
func instant(c *cli.Context, flag string) (int64, error) {
	text := c.String(flag)
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms >= 0 {
		return ms, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.UnixMilli() < 0 {
		return 0, ui.UsageHint(fmt.Sprintf("%s: --%s %q is not a time", c.Command.HelpName, flag, text), "a time is 2026-03-04T05:06:07Z (RFC 3339), or milliseconds since 1970")
	}
	return t.UnixMilli(), nil
}

// writeNew writes a file that must not exist unless --force is given.
func writeNew(c *cli.Context, file string, data []byte) error {
	err := durable.WriteFile(file, data, 0o644, c.Bool("force"))
	if errors.Is(err, fs.ErrExist) {
		return ui.Exists(file)
	}
	return err
}

// checkNew refuses before the work, and not after it, to overwrite.
func checkNew(c *cli.Context, file string) error {
	if _, err := os.Lstat(file); err == nil && !c.Bool("force") {
		return ui.Exists(file)
	}
	return nil
}

var unmetTexts = map[string]string{
	"POLICY_LATE":    "the policy was registered after the windows that it judges began: it can roll back, and never promotes",
	"PROMOTED":       "it was promoted",
	"ROLLED_BACK":    "it was rolled back; it can move up only as a new canary",
	"STALE":          "the last window ended more than stale_max before now",
	"WINDOW_EARLY":   "a window of the release was recorded before it had ended, by more than skew_max: nobody had measured it then",
	"WINDOW_MISSING": "a window of the release was left out: seq does not count on from 1",
}

// text is the explanation of the decision, and what keeps it from being acted on.
func (d decision) text() string {
	explained := d.Explain()
	if p := d.registered; p != nil {
		explained += fmt.Sprintf("  policy registered at %s, event %d\n", ui.InstantText(p.TimeMS), p.K)
	}
	var w strings.Builder
	for _, u := range d.unmet {
		fmt.Fprintf(&w, "  %s  %s\n", u, unmetTexts[u])
	}
	if d.outcome() == d.Decision.Decision {
		return explained + w.String()
	}
	return fmt.Sprintf("%s %s: no promotion can rest on these windows\n%swithout that:\n%s", d.outcome(), d.Channel, &w, explained)
}

// advice is the hint beside an answer that is not yes.
func (d decision) advice() string {
	for _, r := range d.Reasons {
		code, _, _ := strings.Cut(r, ":")
		if strings.HasPrefix(code, "E_") || strings.HasPrefix(code, "METRIC_") {
			return fmt.Sprintf("relseal explain %s says what to do", code)
		}
	}
	if len(d.Alerts) > 0 {
		return fmt.Sprintf("relseal explain %s says what to do", d.Alerts[0])
	}
	return ""
}

type decided struct {
	Schema     string         `json:"schema"`
	Outcome    gates.Outcome  `json:"outcome"`
	Reasons    []string       `json:"reasons"`
	Digest     sign.Digest    `json:"digest"`
	Decision   gates.Decision `json:"decision"`
	Registered *int64         `json:"registered"` // the event of the ledger that registers the policy, null with --policy
	File       *string        `json:"file"`
}

func newGateDecided(d decision, file string) decided {
	reasons := append(append([]string{}, d.Reasons...), d.unmet...)
	return decided{decidedSchema, d.outcome(), reasons, d.digest, d.Decision, d.registeredAt(), ui.OrNull(file)}
}

func (d decision) registeredAt() *int64 {
	if d.registered == nil {
		return nil
	}
	return &d.registered.K
}

const decidedSchema = "relseal/gate-decide/v1"
