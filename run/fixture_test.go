package run

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/sign"
)

// A tape records drafts, and holds each to what a log would refuse.
type tape struct {
	t      *testing.T
	drafts []audit.Draft
	failAt int // the append, counted from 1, that fails
}

func (p *tape) Append(d audit.Draft) (audit.Record, error) {
	p.t.Helper()
	if len(p.drafts)+1 == p.failAt {
		return audit.Record{}, fmt.Errorf("append %d: no space left", p.failAt)
	}
	p.drafts = append(p.drafts, d)
	for _, list := range [][]audit.Item{d.Inputs, d.Outputs} {
		if _, err := audit.NewItems(list); err != nil {
			p.t.Errorf("%s: %v", d.Action, err)
		}
	}
	if d.Details != nil {
		if err := canon.Check(d.Details); err != nil {
			p.t.Errorf("%s: details %s: %v", d.Action, d.Details, err)
		}
	}
	if _, err := canon.Marshal(d.Snapshot); err != nil {
		p.t.Errorf("%s: %v", d.Action, err)
	}
	if d.Code.IsZero() || d.Actor.String() != "tester" || d.Seed == nil || *d.Seed != "42" {
		p.t.Errorf("%s: code %v, actor %v, seed %v", d.Action, d.Code, d.Actor, d.Seed)
	}
	return audit.Record{}, nil
}

// story is the trail in short: "step.start a; step.end a ok; run.end ok".
func (p *tape) story() string {
	var parts []string
	for _, d := range p.drafts {
		s := d.Action
		if !d.Path.IsZero() {
			s += " " + d.Path.String()
		}
		if d.Status != "" {
			s += " " + d.Status
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

// end returns the step.end of a step.
func (p *tape) end(step string) audit.Draft {
	p.t.Helper()
	for _, d := range p.drafts {
		if d.Action == audit.ActionStepEnd && d.Path.String() == step {
			return d
		}
	}
	p.t.Fatalf("no step.end of %s in %s", step, p.story())
	return audit.Draft{}
}

// A project is a directory with a pipeline in it.
type project struct {
	t *testing.T
	Job
	tape *tape
}

// newProject writes files, given as name, content, name, content...
func newProject(t *testing.T, steps []cards.Step, files ...string) *project {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the steps of this test are written for a POSIX shell")
	}
	p := &project{t: t, tape: &tape{t: t}}
	p.Job = Job{
		Dir: t.TempDir(), LogDir: filepath.Join(t.TempDir(), "log"), Actor: "tester", Producer: "test 1",
		Pipeline: cards.Pipeline{Steps: steps, RNG: &cards.RNG{Family: "pcg32", Seed: "42"}},
		Grace:    2 * time.Second,
	}
	for i := 0; i < len(files); i += 2 {
		p.write(files[i], files[i+1])
	}
	return p
}

func (p *project) write(name, content string) {
	p.t.Helper()
	full := filepath.Join(p.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.Dir, filepath.FromSlash(name)))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

func (p *project) has(name string) bool {
	_, err := os.Lstat(filepath.Join(p.Dir, filepath.FromSlash(name)))
	return err == nil
}

// run executes the pipeline and wants the outcome.
func (p *project) run(ctx context.Context, outcome string) Result {
	p.t.Helper()
	res, err := Execute(ctx, p.Job, p.tape)
	if err != nil {
		p.t.Fatal(err)
	}
	if res.Outcome != outcome {
		p.t.Fatalf("outcome %s (%s), want %s", res.Outcome, res.Failure, outcome)
	}
	for _, d := range p.tape.drafts {
		if s := d.Error.String() + d.Notes.String() + string(d.Details); strings.Contains(s, p.Dir) || strings.Contains(s, p.LogDir) {
			p.t.Errorf("%s: a local path in %s", d.Action, s)
		}
	}
	return res
}

// fails executes the pipeline and wants a failure with text in it, in the
// result and in the events.
func (p *project) fails(text string) Result {
	p.t.Helper()
	res := p.run(p.t.Context(), audit.StatusFailed)
	n := len(p.tape.drafts)
	if end := p.tape.drafts[n-2]; !strings.Contains(res.Failure, text) || end.Error.String() != res.Failure || len(end.Outputs) != 0 {
		p.t.Errorf("failure %q, recorded %q, want %q in it", res.Failure, end.Error, text)
	}
	return res
}

func sh(id, script string, more ...func(*cards.Step)) cards.Step {
	s := cards.Step{ID: id, Run: []string{"sh", "-c", script}}
	for _, f := range more {
		f(&s)
	}
	return s
}

func needs(ids ...string) func(*cards.Step)  { return func(s *cards.Step) { s.Needs = ids } }
func in(names ...string) func(*cards.Step)   { return func(s *cards.Step) { s.Inputs = names } }
func out(names ...string) func(*cards.Step)  { return func(s *cards.Step) { s.Outputs = names } }
func sameAs(id string) func(*cards.Step)     { return func(s *cards.Step) { s.SameAs = id } }
func stdoutTo(name string) func(*cards.Step) { return func(s *cards.Step) { s.Stdout = name } }
func timeout(d time.Duration) func(*cards.Step) {
	return func(s *cards.Step) { s.TimeoutMS = d.Milliseconds() }
}

func item(name, content string) audit.Item {
	return audit.Item{URI: name, Hash: sign.Sum([]byte(content))}
}

func detail(t *testing.T, d audit.Draft) (m struct {
	ExitCode *int `json:"exit_code"`
	Log      *struct {
		Hash sign.Digest
		Size int64
	}
	SameAs string `json:"same_as"`
	Same   *bool
}) {
	t.Helper()
	if err := json.Unmarshal(d.Details, &m); err != nil {
		t.Fatalf("details %s: %v", d.Details, err)
	}
	return m
}
