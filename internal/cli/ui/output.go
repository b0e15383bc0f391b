package ui

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
)

func isTerminal(fd uintptr) bool { return term.IsTerminal(int(fd)) }

// JSONFlag is on every command that has a result.
func JSONFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print the result as JSON"}
}

// Print writes a result: v as one line of canonical JSON with --json, else the text.
func (env *Env) Print(c *cli.Context, v any, text string) error {
	if !c.Bool("json") {
		_, err := fmt.Fprint(env.Stdout, escape.Text(text))
		return err
	}
	data, err := canon.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s\n", data)
	return err
}

// PrintDone writes the result of what was done. Where that cannot be written it says so
// on stderr: whoever is not told would do it again.
func (env *Env) PrintDone(c *cli.Context, v any, text string) error {
	did, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	env.Deed = "the result was: " + did + "; look at that before you do it again"
	return env.Print(c, v, text)
}

// Note writes a line of progress to a terminal; a pipe stays silent.
func (env *Env) Note(format string, args ...any) {
	if f, ok := env.Stderr.(*os.File); ok && Terminal(f) {
		fmt.Fprintln(env.Stderr, escape.Text(fmt.Sprintf(format, args...)))
	}
}

// OutFile returns the file of --out, which must not exist unless --force is given.
func OutFile(c *cli.Context) (string, error) {
	file := c.String("out")
	if file == "" {
		return "", UsageHint(c.Command.HelpName+": --out is missing", c.Command.HelpName+" --help")
	}
	if _, err := os.Lstat(file); err == nil && !c.Bool("force") {
		return "", Exists(file)
	}
	return file, nil
}

// Exists is the error about a file that is there and would be overwritten.
func Exists(file string) error {
	return hint.With(fmt.Errorf("%s: %w", file, fs.ErrExist), "--force overwrites it")
}
