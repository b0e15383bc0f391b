package gate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/policyfile"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/observe"
)

// A windowSource is what --windows or --ledger named.
type windowSource struct{ *observe.Windows }

// readPolicy reads the gate policy of a flag: YAML or canonical JSON.
func readPolicy(env *ui.Env, file string) (gates.Policy, error) {
	name, data, err := env.ReadInput(file, limits.Card)
	if err != nil {
		return gates.Policy{}, err
	}
	if len(data) > 0 && data[0] == '{' && canon.Check(data) == nil {
		p, err := gates.ReadPolicy(data)
		return p, ui.InFile(name, err)
	}
	return policyfile.Parse(name, data)
}

// readWindows reads what --windows or --ledger names. What is no window is
// an input that cannot be used, and not an answer: a script may act on 2.
func readWindows(env *ui.Env, c *cli.Context) (s windowSource, err error) {
	file, ledger := c.String("windows"), c.String("ledger")
	switch {
	case file != "" && ledger != "":
		return s, ui.Usage(c.Command.HelpName + ": --windows and --ledger exclude each other")
	case file == "" && ledger == "":
		return s, ui.UsageHint(c.Command.HelpName+": --windows is missing", "--windows F, or --ledger F")
	case ledger != "":
		return readLedger(env, c, ledger)
	}
	format := gates.Format(c.String("format"))
	if format != "" && !slices.Contains(gates.Formats, format) {
		return s, ui.UsageHint(fmt.Sprintf("%s: --format %q is no format", c.Command.HelpName, format), "jsonl or csv")
	}
	name, in, err := env.OpenInput(file)
	if err != nil {
		return s, err
	}
	defer in.Close()
	s.Windows, err = observe.Read(name, format, in)
	return s, err
}

// oneStdin refuses two inputs that are both standard input.
func oneStdin(c *cli.Context) error {
	var inputs []string
	if c.Args().First() == "-" {
		inputs = append(inputs, "-")
	}
	for _, flag := range []string{"policy", "against", "windows"} {
		if c.String(flag) == "-" {
			inputs = append(inputs, "--"+flag+" -")
		}
	}
	if len(inputs) > 1 {
		return ui.Usage(c.Command.HelpName + ": there is one standard input, not several: " + strings.Join(inputs, ", "))
	}
	return nil
}

var channels = []string{gates.Canary, gates.Stable, gates.LTS}

// gateChannel returns the channel of --channel.
func gateChannel(c *cli.Context) (string, error) {
	if err := ui.Need(c, "channel"); err != nil {
		return "", err
	}
	channel := c.String("channel")
	if !slices.Contains(channels, channel) {
		return "", ui.UsageHint(fmt.Sprintf("%s: unknown channel %q", c.Command.HelpName, channel), ui.Suggest(channel, channels, "canary, stable or LTS"))
	}
	return channel, nil
}

// release settles which release is judged: the one that is named, else the only
// one that the windows of the channel name.
func (s windowSource) release(c *cli.Context, channel string) (string, error) {
	if c.IsSet("release") {
		return c.String("release"), nil
	}
	switch ids := s.Releases(channel); len(ids) {
	case 0:
		return "", nil
	case 1:
		return ids[0], nil
	default:
		return "", ui.UsageHint(fmt.Sprintf("%s: --release is missing: %s has windows of %s on %s", c.Command.HelpName, s.Name, listed(ids, "no release"), channel),
			"name the bundle.id that is judged; windows of no release count for none")
	}
}

// none says that there is nothing to judge, and what there is instead.
func (s windowSource) none(channel, release string) error {
	err := fmt.Errorf("%s: no window of %s%s", s.Name, channel, ofRelease(release))
	found := map[string]int{}
	for of, n := range s.Counts() {
		found[of.Channel+ofRelease(of.Release)] += n
	}
	var groups []string
	for _, g := range slices.Sorted(maps.Keys(found)) {
		groups = append(groups, ui.Counted(found[g], "window")+" of "+g)
	}
	if len(groups) > 0 {
		err = hint.With(err, "it has "+listed(groups, ""))
	}
	return &ui.Error{Code: ui.ExitUndecidable, Err: err, Hint: hint.Of(err)}
}

func ofRelease(id string) string {
	if id == "" {
		return ""
	}
	return ", release " + escape.Line(id)
}

// listed joins at most five names.
func listed(names []string, empty string) string {
	shown := make([]string, 0, 6)
	for i, n := range names {
		if i == 5 {
			shown = append(shown, fmt.Sprintf("%d more", len(names)-i))
			break
		}
		shown = append(shown, cmp.Or(escape.Line(n), empty))
	}
	return strings.Join(shown, ", ")
}
