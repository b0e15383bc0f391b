package cli

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestHelp walks all commands: each says what it is, how it is written, and shows
// an example that is a command line of this relseal.
func TestHelp(t *testing.T) {
	app := newApp(newTestApp())
	examples(t, output(t, "--help"))
	var walk func(c *cli.Command, path ...string)
	walk = func(c *cli.Command, path ...string) {
		name := "relseal " + strings.Join(path, " ")
		text := output(t, append(path, "--help")...)
		for what, form := range map[string]string{
			"purpose":     `\A` + name + ` - [a-z][^\n]+\n\n`,
			"usage":       `\nUsage:\n  ` + name + ` `,
			"description": `(?s)\nUsage:\n[^\n]+\n\n([A-Z][^\n]+\n)+`,
			"example":     `\nExample:\n(  [^\n]+\n)+`,
		} {
			if !regexp.MustCompile(form).MatchString(text) {
				t.Errorf("the help of %s has no %s:\n%s", name, what, text)
			}
		}
		examples(t, text)
		for _, f := range c.Flags {
			if !strings.Contains(text, "\n  --"+f.Names()[0]+" ") {
				t.Errorf("the help of %s leaves out --%s", name, f.Names()[0])
			}
		}
		for _, sub := range c.Subcommands {
			if !strings.Contains(text, "\n  "+sub.Name+" ") {
				t.Errorf("the help of %s leaves out %s", name, sub.Name)
			}
			walk(sub, append(slices.Clone(path), sub.Name)...)
		}
		if hasJSON := findFlag(c, "--json") != nil; hasJSON != (len(c.Subcommands) == 0) {
			t.Errorf("%s takes --json: %v", name, hasJSON)
		}
	}
	for _, c := range app.Commands {
		walk(c, c.Name)
	}
}

var exampleLine = regexp.MustCompile(`(?m)^  (?:.*\| )?(relseal [a-z][^|\n]*)`)

// examples holds that every example in text names commands and flags that exist.
func examples(t *testing.T, text string) {
	t.Helper()
	_, text, ok := strings.Cut(text, "\nExample:\n")
	text, _, _ = strings.Cut(text, "\n\n")
	found := exampleLine.FindAllStringSubmatch(text+"\n", -1)
	if !ok || len(found) != len(strings.Split(text, "\n")) {
		t.Errorf("not every example is a command: %q", text)
	}
	for _, m := range found {
		if _, _, err := flagsFirst(newApp(newTestApp()), strings.Fields(m[1])); err != nil {
			t.Errorf("example %q: %v", m[1], err)
		}
	}
}
