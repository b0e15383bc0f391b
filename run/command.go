package run

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/sign"
)

// finished is a command that was started and has ended.
type finished struct {
	exit    int // -1 if it was killed
	log     string
	usage   usage
	details details
}

// command is the starter of a pipeline's steps: it returns once the command and
// what it started are gone.
func (r *runner) command(ctx context.Context, s cards.Step) (*finished, error) {
	if ctx.Err() != nil {
		return nil, aborted(ctx)
	}
	env := environment(r.LookupEnv, r.Pipeline.Env, s.Env)
	program, err := find(s.Run[0], r.Dir, env["PATH"])
	if err != nil {
		return nil, unstarted(s.Run[0], err)
	}
	log, err := createLog(filepath.Join(r.LogDir, s.ID+".log"))
	if err != nil {
		return nil, unwritten("log", err)
	}
	defer log.Close()
	cmd := &exec.Cmd{Path: program, Args: s.Run, Dir: r.Dir, Env: pairs(env), Stdout: log, Stderr: log}
	if s.Stdout != "" {
		out, err := r.root.OpenFile(partial(s.Stdout), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return nil, unwritten("output "+s.Stdout, err)
		}
		defer r.root.Remove(partial(s.Stdout)) // nothing to remove once it has become the output
		defer out.Close()
		cmd.Stdout = out
	}

	ownGroup(cmd)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, unstarted(s.Run[0], err)
	}
	stopped := wait(ctx, cmd, time.Duration(s.TimeoutMS)*time.Millisecond, r.Grace)
	done := &finished{exit: cmd.ProcessState.ExitCode(), log: log.Name(), usage: used(cmd.ProcessState, time.Since(began))}
	if done.details.Log, err = hashLog(log); err != nil {
		return done, unread("log", err)
	}
	switch {
	case stopped != nil:
		return done, stopped
	case done.exit > 0:
		return done, fmt.Errorf("exit code %d", done.exit)
	case done.exit < 0:
		return done, fmt.Errorf("killed by %v", cmd.ProcessState) // "signal: killed"
	case s.Stdout != "":
		return done, r.keepStdout(cmd.Stdout.(*os.File), s.Stdout)
	}
	return done, nil
}

// keepStdout makes what a command printed the output name.
func (r *runner) keepStdout(f *os.File, name string) error {
	err := f.Sync()
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = r.root.Rename(partial(name), name)
	}
	if err != nil {
		return unwritten("output "+name, err)
	}
	return nil
}

// createLog makes an empty file that only its owner can read: what commands
// print is not meant for everybody. Processes of a step append to it side by side.
func createLog(name string) (*os.File, error) {
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
}

func hashLog(log *os.File) (*blob, error) {
	if _, err := log.Seek(0, 0); err != nil {
		return nil, err
	}
	hash, size, err := sign.SumReader(log)
	return &blob{hash, size}, err
}

// running is the command of the step that is under way in this process.
var running atomic.Pointer[os.Process]

// Kill kills the step that is under way, with everything that it started: for a
// program that has to end at once.
func Kill() {
	if p := running.Load(); p != nil {
		kill(p, p.Pid)
	}
}

// wait returns when the command and its group are gone: nil if they ended on
// their own, else why they were stopped.
func wait(ctx context.Context, cmd *exec.Cmd, timeout, grace time.Duration) error {
	p, pid := cmd.Process, cmd.Process.Pid
	running.Store(p)
	defer running.Store(nil)
	done := make(chan struct{})
	go func() {
		cmd.Wait() // its result is in cmd.ProcessState
		close(done)
	}()
	var late <-chan time.Time
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		late = t.C
	}
	var why error
	select {
	case <-done:
	case <-ctx.Done():
		why = aborted(ctx)
	case <-late:
		why = fmt.Errorf("timed out after %v", timeout)
	}
	if why != nil {
		terminate(p, pid)
		gone(pid, grace)
	}
	kill(p, pid)
	<-done
	// SIGKILL takes effect when the kernel gets to it; on a dead disk it never does.
	gone(pid, 2*time.Second)
	return why
}

// gone waits until the group that pid leads has no member, but not above limit.
func gone(pid int, limit time.Duration) {
	for end := time.Now().Add(limit); alive(pid) && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
}
