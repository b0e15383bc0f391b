package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/escape"
)

func isTerminal(fd uintptr) bool { return term.IsTerminal(int(fd)) }

// jsonFlag is on every command that has a result.
func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print the result as JSON"}
}

// print writes a result: v as one line of canonical JSON with --json, else the text.
func (env *environment) print(c *cli.Context, v any, text string) error {
	if !c.Bool("json") {
		_, err := fmt.Fprint(env.stdout, escape.Text(text))
		return err
	}
	data, err := canon.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.stdout, "%s\n", data)
	return err
}

// printDone writes the result of what was done. Where that cannot be written it says so
// on stderr: whoever is not told would do it again.
func (env *environment) printDone(c *cli.Context, v any, text string) error {
	did, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	env.deed = "the result was: " + did + "; look at that before you do it again"
	return env.print(c, v, text)
}

// note writes a line of progress to a terminal; a pipe stays silent.
func (env *environment) note(format string, args ...any) {
	if f, ok := env.stderr.(*os.File); ok && terminal(f) {
		fmt.Fprintln(env.stderr, escape.Text(fmt.Sprintf(format, args...)))
	}
}
