// Package ui is what the commands share: how a result is printed and an error told,
// exit codes, progress, questions, passphrases, and the flags that several have.
package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/exit"
)

// Env is what a command may touch besides its arguments.
type Env struct {
	Ctx     context.Context // ends when the user interrupts relseal
	Release func()          // from here on an interrupt ends the process; Ctx has ended if one came before
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer

	Own    bool     // this process is there for this command alone
	Args   []string // as they were typed, without the program's name
	Quoted int      // of the arguments, the last so many stood behind "--"
	JSON   bool     // the result is asked for as JSON

	Drivers map[string]Driver // what this program links; nil in relseal

	Deed string // what was done, for those who cannot be told on standard output
}

// Terminal reports whether v is a terminal.
func Terminal(v any) bool {
	f, ok := v.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && isTerminal(f.Fd())
}

// Finish reports err, if there is one to report, and returns the exit code.
func (env *Env) Finish(ctx context.Context, err error) int {
	if err == nil {
		return ExitOK
	}
	var answer *Answer
	if errors.As(err, &answer) {
		env.Say("hint", answer.Hint)
		return answer.Code
	}
	code, text, hint := classify(ctx, err)
	env.Say("error", text)
	env.Say("hint", hint)
	env.printRefusal(exit.Refusal{Schema: exit.RefusalSchema, Exit: code, Code: OrNull(string(faultCode(err))), Text: text, Hint: OrNull(hint)})
	return code
}

func (env *Env) printRefusal(r exit.Refusal) {
	if out, ok := env.Stdout.(*Stdout); !ok || !env.JSON || out.Any || out.Err != nil {
		return
	}
	if data, err := r.JSON(); err == nil {
		fmt.Fprintf(env.Stdout, "%s\n", data)
	}
}

// Say writes each line of a message to stderr.
func (env *Env) Say(kind, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(env.Stderr, "relseal: %s: %s\n", kind, escape.Text(strings.TrimSuffix(line, "\n")))
	}
}
