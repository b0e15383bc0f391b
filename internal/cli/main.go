// Package cli is the command line: flags to library calls, results to text or
// JSON. Results go to stdout; everything else goes to stderr, as
// "relseal: error: …" and "relseal: hint: …".
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/signer"
)

// Main runs relseal with the given arguments, the program's name first, and
// returns the exit code.
//
// BUG(cli): Where the standard output was closed before relseal started, as with
// `>&-`, Go's runtime has opened the null device in its place: the answer is lost
// and the exit code does not say so. That it is open for reading, too, does not tell:
// so is what Python and Node.js give to a program whose output nobody wants.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	out := newCheckedWriter(ctx, stdout)
	env := &environment{stdin: stdin, stdout: out, stderr: stderr}
	// The arguments and the input of the process are those of one command.
	env.own = stdin == io.Reader(os.Stdin) && len(args) > 0 && len(os.Args) > 0 && &args[0] == &os.Args[0]
	// What Go ends by itself (no memory, a stack without end, a panic beside this
	// goroutine) ends by a signal: its exit code would be 2, which is an answer.
	debug.SetTraceback("crash")
	defer func() {
		if r := recover(); r != nil {
			// Left alone, a panic exits with 2, which here means REJECT.
			env.say("error", fmt.Sprintf("internal fault: %v\n%s", r, debug.Stack()))
			env.say("hint", "this is a bug in relseal; please report it with the lines above")
			code = exitInternal
		}
	}()
	if env.own && len(args) > 1 && args[1] == signer.Argument {
		return runSigner(env, args[2:])
	}
	ctx, stop := catchInterrupts(ctx, func() {
		env.say("error", "interrupted twice; ended at once: what was under way is left as by a crash")
	})
	defer stop()
	out.ctx = ctx
	defer catchBrokenPipe()()
	env.ctx = ctx

	app := newApp(env)
	ordered, quoted, err := flagsFirst(app, args)
	env.quoted = quoted
	env.json = slices.Contains(args[:len(args)-quoted], "--json")
	if err == nil {
		err = app.RunContext(ctx, ordered)
	}
	if out.err != nil {
		err = &exitError{exitIO, fmt.Errorf("standard output: %w", plainCause(out.err)), env.deed}
		if errors.Is(out.err, errStuck) {
			err = &exitError{exitInterrupted, err, env.deed}
		}
	}
	return env.finish(ctx, err)
}

// environment is what a command may touch besides its arguments.
type environment struct {
	ctx    context.Context // ends when the user interrupts relseal
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer

	own    bool // this process is there for this command alone
	quoted int  // of the arguments, the last so many stood behind "--"
	json   bool // the result is asked for as JSON
	memory memory

	deed string // what was done, for those who cannot be told on standard output
}

// terminal reports whether v is a terminal.
func terminal(v any) bool {
	f, ok := v.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && isTerminal(f.Fd())
}

// finish reports err, if there is one to report, and returns the exit code.
func (env *environment) finish(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	var answer *answerError
	if errors.As(err, &answer) {
		env.say("hint", answer.hint)
		return answer.code
	}
	code, text, hint := classify(ctx, err)
	env.say("error", text)
	env.say("hint", hint)
	env.printRefusal(refusal{"relseal/error/v1", code, orNull(string(faultCode(err))), escape.Text(text), orNull(escape.Text(hint))})
	return code
}

// A refusal is what a command prints as JSON that had nothing else to print.
type refusal struct {
	Schema string  `json:"schema"`
	Exit   int     `json:"exit"`
	Code   *string `json:"code"` // null where no code says it
	Text   string  `json:"text"`
	Hint   *string `json:"hint"`
}

func (env *environment) printRefusal(r refusal) {
	if out, ok := env.stdout.(*checkedWriter); !ok || !env.json || out.any || out.err != nil {
		return
	}
	if data, err := canon.Marshal(r); err == nil {
		fmt.Fprintf(env.stdout, "%s\n", data)
	}
}

// say writes each line of a message to stderr.
func (env *environment) say(kind, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(env.stderr, "relseal: %s: %s\n", kind, escape.Text(strings.TrimSuffix(line, "\n")))
	}
}

func newApp(env *environment) *cli.App {
	app := &cli.App{
		Name:                      "relseal",
		Usage:                     "cut signed releases and let anybody verify them offline",
		HideVersion:               true,
		HideHelpCommand:           true,
		Writer:                    env.stdout,
		ErrWriter:                 env.stderr,
		CustomAppHelpTemplate:     appHelp,
		DisableSliceFlagSeparator: true,                         // a file's name may have a comma
		ExitErrHandler:            func(*cli.Context, error) {}, // the exit code is Main's
		Action: func(c *cli.Context) error {
			fmt.Fprint(env.stderr, helpText(c))
			return usageErrorHint("no command given", "relseal --help lists the commands")
		},
		Commands: []*cli.Command{
			initCommand(env),
			cutCommand(env),
			verifyFileCommand(env),
			verifyCommand(env),
			runCommand(env),
			trailCommand(env),
			bundleCommand(env),
			releaseCommand(env),
			gateCommand(env),
			cardCommand(env),
			envlockCommand(env),
			keyCommand(env),
			trustCommand(env),
			reverifyCommand(env),
			benchCommand(env),
			canonCommand(env),
			explainCommand(env),
			completionCommand(env),
			manCommand(env),
			versionCommand(env),
		},
	}
	for _, c := range app.Commands {
		complete(c, "relseal")
	}
	return app
}
