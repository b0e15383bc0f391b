package gate

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
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
)

// A windowSource is what --windows or --ledger named.
type windowSource struct {
	name    string
	windows map[windowsOf]*gates.Windows // in the order of the file
	ledger  *gates.Ledger                // what it says of policies and bundles, if they are events of a ledger
	sealed  map[string]int64             // of a ledger: when a bundle came to its channel
	moved   map[string][]string          // of a ledger: that a bundle went up, or was taken back for good
	ahead   map[string]int64             // of a ledger: by how many ms a window of a bundle ends after its event, at most
	latest  int64                        // of a ledger: the time of the last event that was read
}

// windowsOf is what windows are of.
type windowsOf struct{ channel, release string }

// add takes in a window and its event, and reports whether it is the first of its release.
func (s *windowSource) add(k int64, w gates.Window) (first bool) {
	of := windowsOf{w.Channel, w.Release}
	ws := s.windows[of]
	if first = ws == nil; first {
		ws = gates.NewWindows(w.Release, w.Channel)
		s.windows[of] = ws
	}
	ws.Add(k, w)
	return first
}

// all returns the windows that are of what pick wants, those of one release in their order.
func (s windowSource) all(pick func(windowsOf) bool) (all []gates.Window) {
	order := func(a, b windowsOf) int {
		return cmp.Or(cmp.Compare(a.channel, b.channel), cmp.Compare(a.release, b.release))
	}
	for _, of := range slices.SortedFunc(maps.Keys(s.windows), order) {
		if pick(of) {
			all = slices.AppendSeq(all, s.windows[of].All())
		}
	}
	return all
}

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
	s.name, s.windows = name, map[windowsOf]*gates.Windows{}
	var ws []gates.Window
	if format == "" {
		ws, err = gates.ReadWindows(s.name, in)
	} else {
		ws, err = gates.ReadWindowsAs(format, s.name, in)
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path // it names the file itself
	}
	for _, w := range ws {
		s.add(0, w)
	}
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
	switch ids := s.releases(channel); len(ids) {
	case 0:
		return "", nil
	case 1:
		return ids[0], nil
	default:
		return "", ui.UsageHint(fmt.Sprintf("%s: --release is missing: %s has windows of %s on %s", c.Command.HelpName, s.name, listed(ids, "no release"), channel),
			"name the bundle.id that is judged; windows of no release count for none")
	}
}

// releases returns the releases that windows of a channel name, in order; "" for
// none.
func (s windowSource) releases(channel string) []string {
	var ids []string
	for of := range s.windows {
		if of.channel == channel {
			ids = append(ids, of.release)
		}
	}
	slices.Sort(ids)
	return ids
}

// of returns the windows of a release on a channel.
func (s windowSource) of(channel, release string) *gates.Windows {
	if ws := s.windows[windowsOf{channel, release}]; ws != nil {
		return ws
	}
	return gates.NewWindows(release, channel)
}

// none says that there is nothing to judge, and what there is instead.
func (s windowSource) none(channel, release string) error {
	err := fmt.Errorf("%s: no window of %s%s", s.name, channel, ofRelease(release))
	found := map[string]int{}
	for of, ws := range s.windows {
		found[of.channel+ofRelease(of.release)] += ws.Len()
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
