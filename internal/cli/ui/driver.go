package ui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/urfave/cli/v2"
)

// A Driver does what a command does that needs a library which relseal does not link, such
// as that of a database.
type Driver func(env *Env, c *cli.Context) error

// ops is the program that has the commands of relseal and links the drivers.
const ops = "relseal-ops"

// Driven returns the action of a command that needs the driver with the name. In relseal,
// relseal-ops runs the command instead: with the same arguments and streams, and its exit
// code is that of the command.
func (env *Env) Driven(name string) cli.ActionFunc {
	return func(c *cli.Context) error {
		if do := env.Drivers[name]; do != nil {
			return do(env, c)
		}
		if env.Drivers != nil { // or it would look for itself, again and again
			return &Error{Code: ExitUnavailable, Err: fmt.Errorf("%s: this %s has no driver %q", c.Command.HelpName, ops, name)}
		}
		file, err := findOps()
		if err != nil {
			return &Error{
				Code: ExitUnavailable,
				Err:  fmt.Errorf("%s needs %s, which is neither beside relseal nor in PATH", c.Command.HelpName, ops),
				Hint: "go install github.com/relseal/relseal/cmd/" + ops + "@latest",
			}
		}
		return env.handOver(file)
	}
}

// findOps looks beside this program, then in PATH.
func findOps() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), ops)
		if runtime.GOOS == "windows" {
			beside += ".exe"
		}
		if file, err := exec.LookPath(beside); err == nil {
			return file, nil
		}
	}
	return exec.LookPath(ops)
}

// handOver runs a program with the arguments of this one. It takes the place of this
// process where the system has that, and where the process is there for this command alone.
func (env *Env) handOver(file string) error {
	if env.Own {
		if err := replaceProcess(file, append([]string{ops}, env.Args...)); !errors.Is(err, errors.ErrUnsupported) {
			return &Error{Code: ExitUnavailable, Err: fmt.Errorf("%s: %w", file, err)}
		}
	}
	cmd := exec.Command(file, env.Args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = env.Stdin, io.Writer(env.Stdout), env.Stderr
	if out, ok := env.Stdout.(*Stdout); ok {
		cmd.Stdout = out.To
	}
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() >= 0 {
		return &Answer{Code: exit.ExitCode()}
	}
	if err != nil {
		return &Error{Code: ExitUnavailable, Err: fmt.Errorf("%s: %w", file, err)}
	}
	return nil
}
