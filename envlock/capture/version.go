package capture

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"

	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
)

// A question is how to ask a tool its version.
type question struct {
	args []string
	mark string // in the line that tells, if that is not the first
}

// questions lists the families that do not know --version, or say something else
// first.
var questions = map[string]question{
	"busybox":    {args: []string{"--help"}}, // links to it know --help only
	"erl":        {args: []string{"-version"}},
	"go":         {args: []string{"version"}},
	"gradle":     {args: []string{"--version"}, mark: "Gradle "},
	"helm":       {args: []string{"version", "--short"}},
	"hugo":       {args: []string{"version"}},
	"java":       {args: []string{"-version"}}, // Java 8 does not know --version
	"javac":      {args: []string{"-version"}},
	"kotlinc":    {args: []string{"-version"}},
	"kubectl":    {args: []string{"version", "--client"}},
	"lua":        {args: []string{"-v"}},
	"luac":       {args: []string{"-v"}},
	"luajit":     {args: []string{"-v"}},
	"nasm":       {args: []string{"-v"}},
	"nvcc":       {args: []string{"--version"}, mark: "release "},
	"openssl":    {args: []string{"version"}},
	"scala":      {args: []string{"-version"}},
	"scalac":     {args: []string{"-version"}},
	"ssh":        {args: []string{"-V"}},
	"terraform":  {args: []string{"version"}},
	"tinygo":     {args: []string{"version"}},
	"unzip":      {args: []string{"-v"}},
	"xcodebuild": {args: []string{"-version"}},
	"zig":        {args: []string{"version"}},
}

// version returns the line in which the tool tells its version, on standard
// output or else on standard error. It is null if the tool does not know the
// question, fails, or does not answer in time: its digest still tells it apart.
func (m *machine) version(ctx context.Context, t tool) *string {
	q, ok := questions[family(t.name)]
	if !ok {
		q.args = []string{"--version"}
	}
	out, errOut, err := m.ask(ctx, t, q.args...)
	if err != nil {
		return nil
	}
	if v := q.find(out); v != nil {
		return v
	}
	return q.find(errOut)
}

// escape matches a terminal's control sequence; mvn colours its version.
var escape = lazyregexp.New("\x1b\\[[0-9;?]*[A-Za-z]")

// find returns the first line that is not empty and has the mark.
func (q question) find(out []byte) *string {
	for l := range bytes.Lines(out) {
		v := line(string(escape.ReplaceAll(l, nil)))
		if v == nil || *v == "" || !strings.Contains(*v, q.mark) || strings.HasPrefix(*v, "Picked up ") { // JAVA_TOOL_OPTIONS
			continue
		}
		return v
	}
	return nil
}

// maxOutput bounds what a tool may say of itself.
const maxOutput = 64 * limits.KiB

var errTooMuch = errors.New("too much output")

// ask runs a tool in the project's directory, as a step would run it: a tool
// such as go chooses its version by the project. Nothing it starts survives.
func (m *machine) ask(ctx context.Context, t tool, args ...string) (stdout, stderr []byte, err error) {
	return m.askAtMost(ctx, maxOutput, t, args...)
}

// askAtMost is ask of a tool that may say most bytes.
func (m *machine) askAtMost(ctx context.Context, most int, t tool, args ...string) (stdout, stderr []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.patience)
	defer cancel()
	out, errOut := capped{most: most}, capped{most: most}
	cmd := exec.CommandContext(ctx, t.file, args...)
	cmd.Dir = m.project.Name()
	cmd.Env = m.env
	cmd.Stdout, cmd.Stderr = &out, &errOut
	cmd.WaitDelay = time.Second // for a child that keeps the pipes open
	killGroup := isolate(cmd)
	if err := cmd.Start(); m.note(err) != nil {
		return nil, nil, err
	}
	err = cmd.Wait()
	killGroup()
	if errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success() {
		err = nil
	}
	if regular.Failed(err) {
		m.note(err)
	}
	return out.buf, errOut.buf, err
}

// capped keeps what is written up to a limit and fails after that: the tool then
// meets a closed pipe instead of writing until its time is over.
type capped struct {
	buf  []byte
	most int
}

func (c *capped) Write(p []byte) (int, error) {
	if len(c.buf)+len(p) > c.most {
		return 0, errTooMuch
	}
	c.buf = append(c.buf, p...)
	return len(p), nil
}
