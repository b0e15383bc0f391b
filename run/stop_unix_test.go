//go:build unix

package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/cards"
)

// Starts a process in the background, tells its number and goes on.
const spawn = "sleep 6000 & echo $! >pid.new; mv pid.new pid; "

// wantGone fails if the process that a step named in the file pid is alive.
func (p *project) wantGone() {
	p.t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(p.read("pid")))
	if err != nil {
		p.t.Fatal(err)
	}
	stat, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err := syscall.Kill(pid, 0); err == nil && !strings.Contains(string(stat), ") Z ") {
		p.t.Errorf("process %d is alive: %s", pid, stat)
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// cancelWhen ends the context once the file is there.
func (p *project) cancelWhen(name string, cause error) context.Context {
	ctx, cancel := context.WithCancelCause(p.t.Context())
	p.t.Cleanup(func() { cancel(nil) })
	go func() {
		for !p.has(name) && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		cancel(cause)
	}()
	return ctx
}

func TestCancel(t *testing.T) {
	p := newProject(t, []cards.Step{sh("a", spawn+"wait; touch went-on", out("o")), sh("b", "touch b-ran")})
	p.Grace = time.Hour // SIGTERM is heard, or this takes until the tests run out of time
	res := p.run(p.cancelWhen("pid", errors.New("interrupt signal received")), audit.StatusAborted)
	const want = "run.start; step.start a; step.end a aborted; run.abort; run.end aborted; trail.close"
	if got := p.tape.story(); got != want {
		t.Errorf("story\n%s, want\n%s", got, want)
	}
	if notes := p.tape.drafts[3].Notes.String(); notes != "step a: stopped: interrupt signal received" || res.Failure != notes {
		t.Errorf("notes %q, failure %q", notes, res.Failure)
	}
	if m := detail(t, p.tape.end("a")); m.ExitCode != nil || m.Log == nil {
		t.Errorf("details %s", p.tape.end("a").Details)
	}
	p.wantGone()
	if p.has("went-on") || p.has("b-ran") {
		t.Error("something went on")
	}
}

// A group that does not hear SIGTERM hears SIGKILL.
func TestGrace(t *testing.T) {
	p := newProject(t, []cards.Step{sh("a", "trap '' TERM; "+spawn+"while :; do sleep 1; done")})
	p.Grace = 200 * time.Millisecond
	p.run(p.cancelWhen("pid", nil), audit.StatusAborted)
	p.wantGone()
}

func TestTimeout(t *testing.T) {
	p := newProject(t, []cards.Step{sh("a", spawn+"wait", timeout(200*time.Millisecond))})
	p.fails("step a: timed out after 200ms")
	p.wantGone()

	// A command that hears SIGTERM and ends well was late all the same.
	p = newProject(t, []cards.Step{sh("a", "trap 'exit 0' TERM; while :; do sleep 0; done", timeout(200*time.Millisecond))})
	p.fails("step a: timed out after 200ms")
}

// What a step leaves in the background does not outlive it.
func TestLeftover(t *testing.T) {
	p := newProject(t, []cards.Step{sh("a", spawn)})
	p.run(t.Context(), audit.StatusOK)
	p.wantGone()
}

func TestCancelBetweenSteps(t *testing.T) {
	steps := []cards.Step{sh("a", "echo >o", out("o")), sh("b", "echo >p", out("p"))}
	for _, c := range []struct {
		after, want string
	}{
		{"", "run.start; run.abort; run.end aborted; trail.close"},
		{"a", "run.start; step.start a; step.end a ok; run.abort; run.end aborted; trail.close"},
		{"b", "run.start; step.start a; step.end a ok; step.start b; step.end b ok; run.abort; run.end aborted; trail.close"},
	} {
		p := newProject(t, steps)
		ctx, cancel := context.WithCancel(t.Context())
		if c.after == "" {
			cancel()
		}
		p.Progress = func(e Event) {
			if e.Step == c.after && e.Status != "" {
				cancel()
			}
		}
		res := p.run(ctx, audit.StatusAborted)
		cancel()
		if got := p.tape.story(); got != c.want {
			t.Errorf("cancelled after %q: story\n%s, want\n%s", c.after, got, c.want)
		}
		if res.Failure != "stopped: context canceled" || len(res.Artifacts) != 0 {
			t.Errorf("cancelled after %q: %+v", c.after, res)
		}
	}
}

// A cancel that comes while files are hashed ends the step before its command.
func TestCancelBeforeCommand(t *testing.T) {
	p := newProject(t, []cards.Step{sh("a", "touch ran", in("x"))}, "x", "X")
	ctx, cancel := context.WithCancel(t.Context())
	p.Progress = func(e Event) { cancel() }
	p.run(ctx, audit.StatusAborted)
	const want = "run.start; step.start a; step.end a aborted; run.abort; run.end aborted; trail.close"
	if got := p.tape.story(); got != want || p.has("ran") {
		t.Errorf("story\n%s, want\n%s", got, want)
	}
}
