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

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/internal/cli/bench"
	"github.com/relseal/relseal/internal/cli/bundle"
	"github.com/relseal/relseal/internal/cli/canon"
	"github.com/relseal/relseal/internal/cli/card"
	"github.com/relseal/relseal/internal/cli/cut"
	"github.com/relseal/relseal/internal/cli/envlock"
	"github.com/relseal/relseal/internal/cli/explain"
	"github.com/relseal/relseal/internal/cli/gate"
	"github.com/relseal/relseal/internal/cli/initcmd"
	"github.com/relseal/relseal/internal/cli/key"
	"github.com/relseal/relseal/internal/cli/release"
	"github.com/relseal/relseal/internal/cli/reverify"
	"github.com/relseal/relseal/internal/cli/run"
	"github.com/relseal/relseal/internal/cli/trail"
	"github.com/relseal/relseal/internal/cli/trust"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/cli/verify"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/internal/signer"
)

// A Program is one of those that have the commands of relseal.
type Program struct {
	Drivers map[string]ui.Driver // what it links of what commands may need; nil in relseal

	further func(*ui.Env) []*cli.Command // of tests
}

// Main runs relseal, as [Program.Main] does.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return Program{}.Main(ctx, args, stdin, stdout, stderr)
}

// Main runs the program with the given arguments, the program's name first, and
// returns the exit code.
//
// BUG(cli): Where the standard output was closed before relseal started, as with
// `>&-`, Go's runtime has opened the null device in its place: the answer is lost
// and the exit code does not say so. That it is open for reading, too, does not tell:
// so is what Python and Node.js give to a program whose output nobody wants.
func (p Program) Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	out := ui.NewStdout(ctx, stdout)
	env := &ui.Env{Stdin: stdin, Stdout: out, Stderr: stderr, Args: args[min(1, len(args)):], Drivers: p.Drivers}
	// The arguments and the input of the process are those of one command.
	env.Own = stdin == io.Reader(os.Stdin) && len(args) > 0 && len(os.Args) > 0 && &args[0] == &os.Args[0]
	// What Go ends by itself (no memory, a stack without end, a panic beside this
	// goroutine) ends by a signal: its exit code would be 2, which is an answer.
	debug.SetTraceback("crash")
	defer func() {
		if r := recover(); r != nil {
			// Left alone, a panic exits with 2, which here means REJECT.
			env.Say("error", fmt.Sprintf("internal fault: %v\n%s", r, debug.Stack()))
			env.Say("hint", "this is a bug in relseal; please report it with the lines above")
			code = ui.ExitInternal
		}
	}()
	if env.Own {
		regular.Prepare()
	}
	if env.Own && len(args) > 1 && args[1] == signer.Argument {
		return ui.RunSigner(env, args[2:])
	}
	ctx, over := context.WithCancel(ctx)
	defer over()
	ctx, release := catchInterrupts(ctx, func() {
		env.Say("error", "interrupted twice; ended at once: what was under way is left as by a crash")
	})
	defer release()
	env.Release = release
	out.Ctx = ctx
	defer ui.CatchBrokenPipe()()
	env.Ctx = ctx

	app := newApp(env)
	if p.further != nil {
		add(app, p.further(env)...)
	}
	ordered, quoted, err := flagsFirst(app, args)
	env.Quoted = quoted
	env.JSON = slices.Contains(args[:len(args)-quoted], "--json")
	if err == nil {
		err = app.RunContext(ctx, ordered)
	}
	if out.Err != nil {
		err = &ui.Error{Code: ui.ExitIO, Err: fmt.Errorf("standard output: %w", ui.PlainCause(out.Err)), Hint: env.Deed}
		if errors.Is(out.Err, ui.ErrStuck) {
			err = &ui.Error{Code: ui.ExitInterrupted, Err: err, Hint: env.Deed}
		}
	}
	return env.Finish(ctx, err)
}

func newApp(env *ui.Env) *cli.App {
	app := &cli.App{
		Name:                      "relseal",
		Usage:                     "cut signed releases and let anybody verify them offline",
		HideVersion:               true,
		HideHelpCommand:           true,
		Writer:                    env.Stdout,
		ErrWriter:                 env.Stderr,
		CustomAppHelpTemplate:     appHelp,
		DisableSliceFlagSeparator: true,                         // a file's name may have a comma
		ExitErrHandler:            func(*cli.Context, error) {}, // the exit code is Main's
		Action: func(c *cli.Context) error {
			fmt.Fprint(env.Stderr, helpText(c))
			return ui.UsageHint("no command given", "relseal --help lists the commands")
		},
	}
	add(app,
		initcmd.Command(env),
		cut.Command(env),
		verify.FileCommand(env),
		verify.Command(env),
		run.Command(env),
		trail.Command(env),
		bundle.Command(env),
		release.Command(env),
		gate.Command(env),
		card.Command(env),
		envlock.Command(env),
		key.Command(env),
		trust.Command(env),
		reverify.Command(env),
		bench.Command(env),
		canon.Command(env),
		explain.Command(env),
		completionCommand(env),
		manCommand(env),
		versionCommand(env),
	)
	return app
}

func add(app *cli.App, commands ...*cli.Command) {
	for _, c := range commands {
		complete(c, "relseal")
	}
	app.Commands = append(app.Commands, commands...)
}
