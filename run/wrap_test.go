//go:build unix

package run

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/cards"
)

// A shell is a project in which commands are wrapped.
type shell struct {
	*project
	Terminal
	stdout, stderr strings.Builder
}

func newShell(t *testing.T, s cards.Step, files ...string) *shell {
	w := &shell{project: newProject(t, []cards.Step{s}, files...)}
	w.Terminal = Terminal{Stdin: strings.NewReader("typed\n"), Stdout: &w.stdout, Stderr: &w.stderr, Environ: os.Environ()}
	return w
}

// wrap records the command and wants outcome and exit code.
func (w *shell) wrap(ctx context.Context, outcome string, exit int) Result {
	w.t.Helper()
	res, got, err := Wrap(ctx, w.Job, w.Terminal, w.tape)
	if err != nil {
		w.t.Fatal(err)
	}
	if res.Outcome != outcome || got != exit {
		w.t.Fatalf("outcome %s (%s), exit code %d; want %s, %d", res.Outcome, res.Failure, got, outcome, exit)
	}
	return res
}

// A wrapped command has what its caller has, and is recorded like any step.
func TestWrap(t *testing.T) {
	s := sh("a", "cat; echo $CALLER; echo oops >&2; cat in >out/b", in("in"), out("out/b"))
	w := newShell(t, s, "in", "I")
	w.Environ = append(w.Environ, "CALLER=me")
	w.wrap(t.Context(), audit.StatusOK, 0)
	if w.stdout.String() != "typed\nme\n" || w.stderr.String() != "oops\n" {
		t.Errorf("stdout %q, stderr %q", &w.stdout, &w.stderr)
	}
	const want = "run.start; step.start a; step.end a ok; run.end ok; trail.close"
	if got := w.tape.story(); got != want {
		t.Errorf("story %s, want %s", got, want)
	}
	end := w.tape.end("a")
	if m := detail(t, end); *m.ExitCode != 0 || m.Log != nil {
		t.Errorf("details %s", end.Details)
	}
	if end.Snapshot["makespan"] == "" || len(end.Outputs) != 1 || end.Outputs[0] != item("out/b", "I") {
		t.Errorf("step.end %+v", end)
	}
	if _, err := os.Stat(w.LogDir); err == nil {
		t.Error("a directory for logs was made")
	}
}

// The exit code is what a shell reports.
func TestWrapExit(t *testing.T) {
	for _, tt := range []struct {
		run  []string
		exit int
		why  string
	}{
		{[]string{"sh", "-c", "exit 7"}, 7, "step a: exit code 7"},
		{[]string{"sh", "-c", "kill -9 $$"}, 128 + 9, "step a: killed by signal: killed"},
		{[]string{"no-such-program"}, 127, "step a: command no-such-program: executable file not found in $PATH"},
		{[]string{"./none"}, 127, "step a: command ./none: no such file or directory"},
		{[]string{"./in"}, 126, "step a: command ./in: permission denied"},
	} {
		w := newShell(t, cards.Step{ID: "a", Run: tt.run}, "in", "I")
		if res := w.wrap(t.Context(), audit.StatusFailed, tt.exit); res.Failure != tt.why {
			t.Errorf("%v: %s, want %s", tt.run, res.Failure, tt.why)
		}
	}

	// What is wrong with the run and not with the command has no exit code.
	w := newShell(t, sh("a", "true", out("o")))
	w.wrap(t.Context(), audit.StatusFailed, 0)
	w = newShell(t, sh("a", "touch ran", in("none")))
	w.wrap(t.Context(), audit.StatusFailed, 0)
	if w.has("ran") {
		t.Error("the command ran without its input")
	}
}

// Signals reach the command, which ends in its own way; the end of the context
// alone does not end it.
func TestWrapSignal(t *testing.T) {
	signals := make(chan os.Signal, 1)
	w := newShell(t, sh("a", "trap 'echo cleaned; exit 5' TERM; touch ready; while :; do sleep 0.01; done"))
	w.Signals = signals
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !w.has("ready") {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
		signals <- syscall.SIGTERM
	}()
	w.wrap(ctx, audit.StatusAborted, 5)
	const want = "run.start; step.start a; step.end a aborted; run.abort; run.end aborted; trail.close"
	if got := w.tape.story(); got != want || w.stdout.String() != "cleaned\n" {
		t.Errorf("story %s, want %s; printed %q", got, want, &w.stdout)
	}

	w = newShell(t, sh("a", "touch ran"))
	w.wrap(ctx, audit.StatusAborted, 0)
	if w.has("ran") {
		t.Error("the command was started after the end")
	}
}

// What a wrapped command leaves in the background goes on, as it would in a shell.
func TestWrapLeftover(t *testing.T) {
	w := newShell(t, sh("a", "(while test ! -e stop; do sleep 0.01; done; touch stopped) >/dev/null 2>&1 &"))
	w.Stdin = nil
	w.wrap(t.Context(), audit.StatusOK, 0)
	if w.has("stopped") {
		t.Fatal("the process in the background ended early")
	}
	w.write("stop", "")
	for !w.has("stopped") {
		time.Sleep(5 * time.Millisecond)
	}
}

func TestWrapOneStep(t *testing.T) {
	p := newProject(t, []cards.Step{sh("a", "true"), sh("b", "true")})
	if _, _, err := Wrap(t.Context(), p.Job, Terminal{}, p.tape); err == nil || len(p.tape.drafts) != 0 {
		t.Errorf("two steps were wrapped: %v", err)
	}
}
