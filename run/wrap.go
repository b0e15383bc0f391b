package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"github.com/relseal/relseal/cards"
)

// A Terminal is what a wrapped command shares with its caller.
type Terminal struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environ        []string         // all of its variables, as NAME=VALUE
	Signals        <-chan os.Signal // passed on to the command; may be nil
}

// The exit codes that a shell gives to a command that did not start.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// Wrap runs and records a pipeline of one step as [Execute] does, but as if its
// caller had started the command: with the caller's standard streams, variables
// and process group. Nothing of what it prints is kept; its environment is what
// the caller has, of which the EnvLock names a part; the end of ctx does not end
// it, since a signal reaches it too; and what it leaves running goes on.
//
// The second result is the exit code that a shell would report for the command:
// 128 and the number of the signal that killed it, 126 or 127 if it could not be
// started, 0 if the run ended before its turn or the system had nothing left for it.
func Wrap(ctx context.Context, j Job, t Terminal, rec Recorder) (Result, int, error) {
	if n := len(j.Pipeline.Steps); n != 1 {
		return Result{}, 0, fmt.Errorf("a wrapped pipeline has one step, not %d", n)
	}
	j.LogDir = ""
	r, err := newRunner(j, rec)
	if err != nil {
		return Result{}, 0, err
	}
	defer r.root.Close()
	w := &wrapped{Terminal: t, dir: r.Dir}
	r.start = w.command
	res, err := r.run(ctx)
	return res, w.exit, err
}

type wrapped struct {
	Terminal
	dir  string
	exit int
}

// command is the starter of a wrapped command.
func (w *wrapped) command(ctx context.Context, s cards.Step) (*finished, error) {
	if ctx.Err() != nil {
		return nil, aborted(ctx)
	}
	cmd := exec.Command(s.Run[0], s.Run[1:]...)
	cmd.Dir, cmd.Env = w.dir, w.Environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = w.Stdin, w.Stdout, w.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		fault := unstarted(s.Run[0], err)
		if _, ok := errors.AsType[*mediumError](fault); ok {
			return nil, fault
		}
		w.exit = exitNotExecutable
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			w.exit = exitNotFound
		}
		return nil, fault
	}
	w.wait(cmd)
	w.exit = shellCode(cmd.ProcessState)
	done := &finished{exit: cmd.ProcessState.ExitCode(), usage: used(cmd.ProcessState, time.Since(began))}
	switch {
	case ctx.Err() != nil:
		return done, aborted(ctx)
	case done.exit > 0:
		return done, fmt.Errorf("exit code %d", done.exit)
	case done.exit < 0:
		return done, fmt.Errorf("killed by %v", cmd.ProcessState)
	}
	return done, nil
}

// wait passes signals on until the command has ended.
func (w *wrapped) wait(cmd *exec.Cmd) {
	done := make(chan struct{})
	go func() {
		cmd.Wait() // its result is in cmd.ProcessState
		close(done)
	}()
	for {
		select {
		case <-done:
			return
		case sig := <-w.Signals:
			if !heard(sig) {
				cmd.Process.Signal(sig)
			}
		}
	}
}
