package envlock

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/envlock/capture"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/hint"
)

func captureText(r captured, l envlock.Lock) string {
	var w strings.Builder
	fmt.Fprintf(&w, "%s\nwrote %s: %s", r.Fingerprint, r.File, ui.Counted(r.Facts, "fact"))
	if n := len(l.Locks); n > 0 {
		fmt.Fprintf(&w, ", %s", ui.Counted(n, "lock file"))
	}
	if n := len(l.Variables); n > 0 {
		fmt.Fprintf(&w, ", %s", ui.Counted(n, "variable"))
	}
	w.WriteString("\n")
	if r.SBOM != nil {
		fmt.Fprintf(&w, "wrote %s: packages as CycloneDX 1.6\n", *r.SBOM)
	}
	for _, u := range r.Unread {
		fmt.Fprintf(&w, "  null: %s %s could not be read\n", u.Component, u.Fact)
	}
	for _, name := range r.Unlisted {
		fmt.Fprintf(&w, "  not recorded: %s; --lock %s pins it\n", name, hint.Quote(name))
	}
	return w.String()
}

func checkText(name string, r checked) string {
	var w strings.Builder
	switch {
	case len(r.Drift) > 0:
		fmt.Fprintf(&w, "%s  %s: %s from %s\n", r.Verdict, envDrift, differ(len(r.Drift)), name)
	case len(r.Unread) > 0:
		fmt.Fprintf(&w, "%s  %s of %s could not be compared\n", r.Verdict, ui.Counted(len(r.Unread), "fact"), name)
	default:
		fmt.Fprintf(&w, "%s  the environment is that of %s\n", r.Verdict, name)
	}
	if r.Verdict == finding.Verified {
		fmt.Fprintf(&w, "  %s\n", r.Want)
	} else {
		fmt.Fprintf(&w, "  want %s\n", r.Want)
		if r.Got != nil {
			fmt.Fprintf(&w, "  got  %s\n", *r.Got)
		}
	}
	writeDifferences(&w, r.Drift)
	writeUnread(&w, "not compared", r.Unread)
	writeUnread(&w, "as little known as before", r.Unknown)
	return w.String()
}

func diffText(r diffed) string {
	var w strings.Builder
	if r.Same {
		fmt.Fprintf(&w, "the same  %s\n", r.A)
		return w.String()
	}
	fmt.Fprintf(&w, "%s\n  - %s\n  + %s\n", differ(len(r.Differences)), r.A, r.B)
	writeDifferences(&w, r.Differences)
	return w.String()
}

func writeUnread(w *strings.Builder, title string, list []capture.Unread) {
	if len(list) > 0 {
		fmt.Fprintf(w, "%s:\n", title)
	}
	for _, u := range list {
		fmt.Fprintf(w, "  %s %s: %s\n", u.Component, u.Fact, u.Text)
	}
}

// writeDifferences writes each fact with a line for what it was and one for what
// it is. A tool that came or went is one entry and not one for each of its facts.
func writeDifferences(w *strings.Builder, list []envlock.Difference) {
	component := ""
	for _, d := range list {
		tool, isTool := wholeTool(list, d)
		if isTool && d.Fact != tool+".file" {
			continue
		}
		if d.Component != component {
			component = d.Component
			fmt.Fprintf(w, "%s:\n", component)
		}
		if isTool {
			fmt.Fprintf(w, "  %s, with all its facts\n", tool)
		} else {
			fmt.Fprintf(w, "  %s\n", d.Fact)
		}
		was, is := sides(d)
		if d.Change != envlock.Added {
			fmt.Fprintf(w, "    - %s\n", was)
		}
		if d.Change != envlock.Removed {
			fmt.Fprintf(w, "    + %s\n", is)
		}
	}
}

// wholeTool returns the tool that a fact is of, if the tool as a whole came or went.
func wholeTool(list []envlock.Difference, d envlock.Difference) (string, bool) {
	if d.Change == envlock.Changed || d.Component != "compilers" && d.Component != "runtimes" {
		return "", false
	}
	for _, other := range list {
		name, ok := strings.CutSuffix(other.Fact, ".file")
		if ok && other.Component == d.Component && other.Change == d.Change && !strings.Contains(name, "/") && strings.HasPrefix(d.Fact, name+".") {
			return name, true
		}
	}
	return "", false
}

// longValue is from where on a value of several words is written by the words that
// differ: a CPU has a hundred flags.
const longValue = 160

// sides returns the two values as they are written.
func sides(d envlock.Difference) (was, is string) {
	if d.Old != nil && d.New != nil && max(len(*d.Old), len(*d.New)) > longValue {
		old, now := strings.Fields(*d.Old), strings.Fields(*d.New)
		if less, more := wordsWithout(old, now), wordsWithout(now, old); len(less)+len(more) < max(len(old), len(now)) && len(less)+len(more) > 0 {
			return someOf(less, len(old)), someOf(more, len(now))
		}
	}
	return factValue(d.Component, d.Old), factValue(d.Component, d.New)
}

func someOf(words []string, of int) string {
	return fmt.Sprintf("%d of %s: %s", len(words), ui.Counted(of, "word"), strconv.Quote(strings.Join(words, " ")))
}

// wordsWithout returns the words of a that b does not have.
func wordsWithout(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(word string) bool { return slices.Contains(b, word) })
}

func factValue(component string, v *string) string {
	switch {
	case v != nil:
		return strconv.Quote(*v)
	case component == envlock.ComponentVariables:
		return "not set"
	default:
		return "could not be read"
	}
}

func differ(n int) string {
	if n == 1 {
		return "1 fact differs"
	}
	return fmt.Sprintf("%d facts differ", n)
}
