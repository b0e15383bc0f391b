package run

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/sign"
)

// A step that fails is recorded and is the last one.
func TestFailure(t *testing.T) {
	p := newProject(t, []cards.Step{
		sh("a", "echo x >a", out("a")),
		sh("b", "echo half >b; echo why >&2; exit 7", out("b")),
		sh("c", "touch c-ran"),
	})
	res := p.fails("step b: exit code 7")
	const want = "run.start; step.start a; step.end a ok; step.start b; step.end b failed; run.end failed; trail.close"
	if got := p.tape.story(); got != want {
		t.Fatalf("story\n%s, want\n%s", got, want)
	}
	if p.has("c-ran") {
		t.Error("a step ran after a failure")
	}
	d := p.tape.end("b")
	if m := detail(t, d); *m.ExitCode != 7 || m.Log.Hash != sign.Sum([]byte("why\n")) || m.Log.Size != 4 {
		t.Errorf("details %s", d.Details)
	}
	if len(d.Outputs) != 0 || res.Steps[1].ExitCode != 7 || len(res.Artifacts) != 0 {
		t.Errorf("outputs %v, result %+v", d.Outputs, res)
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []cards.Step
		want  string
	}{
		{"missing output", []cards.Step{sh("a", "echo x >a", out("a", "b"))}, "step a: output b does not exist"},
		{"output is a directory", []cards.Step{sh("a", "mkdir b", out("b"))}, "step a: output b: is a directory"},
		{"output leaves the project", []cards.Step{sh("a", "rmdir d; ln -s /etc d", out("d/hosts"))}, "step a: output d/hosts: path escapes"},
		{"output is a link", []cards.Step{sh("a", "ln -s x b", out("b"))}, "step a: output b: is a symbolic link"},
		{"artifact is a link", []cards.Step{sh("a", "cp x b", out("b")), sh("b", "ln -sf x b")}, "artifact b: is a symbolic link"},
		{"output is a pipe", []cards.Step{sh("a", "mkfifo b", out("b"))}, "step a: output b: is a FIFO, not a regular file"},
		{"a directory in the way", []cards.Step{sh("a", "true", out("dir"))}, "step a: output dir: is a directory"},
		{"missing input", []cards.Step{sh("a", "true", in("none"))}, "step a: input none does not exist"},
		{"killed", []cards.Step{sh("a", "kill -9 $$")}, "step a: killed by signal: killed"},
		{"stale output of a later step", []cards.Step{sh("a", "true", in("stale*")), sh("b", "echo >stale", out("stale"))},
			"step a: input stale* matches no file"},
		{"input removed", []cards.Step{sh("a", "rm x", in("x"))}, "E_DATA_MISMATCH: input x changed while the step ran"},
		{"input changed", []cards.Step{sh("a", "echo >>x", in("x"))}, "E_DATA_MISMATCH: input x changed while the step ran"},
		{"input changed by another step", []cards.Step{sh("a", "true", in("x")), sh("b", "echo >>x"), sh("c", "true", in("x"))},
			"step c: E_DATA_MISMATCH: input x changed after step a read it"},
		{"output changed by another step", []cards.Step{sh("a", "echo >y", out("y")), sh("b", "echo >>y"), sh("c", "true", in("y"))},
			"step c: E_DATA_MISMATCH: input y changed after step a made it"},
		{"artifact changed", []cards.Step{sh("a", "echo >y", out("y")), sh("b", "echo >>y")},
			"E_DATA_MISMATCH: artifact y changed after step a made it"},
		{"artifact removed", []cards.Step{sh("a", "echo >y", out("y")), sh("b", "rm y")}, "artifact y does not exist"},
		{"another number of outputs", []cards.Step{sh("a", "echo >a; echo >b", out("a", "b")), sh("c", "echo >c", needs("a"), out("c"), sameAs("a"))},
			"step c: E_NONDETERMINISM: 1 outputs, where there were 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			newProject(t, c.steps, "x", "content", "dir/file", "", "stale", "old").fails(c.want)
		})
	}
}

// An input that changes is recorded as it was before, with what the command made.
func TestInputChanged(t *testing.T) {
	p := newProject(t, []cards.Step{sh("a", "cat x >y; echo more >>x", in("x"), out("y"))}, "x", "X")
	p.fails("input x changed while the step ran")
	d := p.tape.end("a")
	if !reflect.DeepEqual(d.Inputs, []audit.Item{item("x", "X")}) || !reflect.DeepEqual(d.Outputs, []audit.Item{item("y", "X")}) {
		t.Errorf("inputs %v, outputs %v", d.Inputs, d.Outputs)
	}
}

func TestSameAs(t *testing.T) {
	steps := func(again string) []cards.Step {
		return []cards.Step{
			sh("build", "echo 1 >a; echo 2 >b", out("a", "b")),
			sh("rebuild", again, needs("build"), out("again/a", "again/b"), sameAs("build")),
		}
	}
	p := newProject(t, steps("echo 1 >again/a; echo 2 >again/b"))
	p.run(t.Context(), audit.StatusOK)
	if m := detail(t, p.tape.end("rebuild")); m.SameAs != "build" || !*m.Same {
		t.Errorf("details %s", p.tape.end("rebuild").Details)
	}

	p = newProject(t, steps("echo 1 >again/a; echo two >again/b"))
	p.fails(fmt.Sprintf("step rebuild: E_NONDETERMINISM: again/b is %v, b is %v", sign.Sum([]byte("two\n")), sign.Sum([]byte("2\n"))))
	d := p.tape.end("rebuild")
	if m := detail(t, d); m.SameAs != "build" || *m.Same {
		t.Errorf("details %s", d.Details)
	}
	if len(d.Outputs) != 2 {
		t.Errorf("the outputs that differ are not recorded: %v", d.Outputs)
	}
}

// What an output path holds afterwards is of this run.
func TestStaleOutput(t *testing.T) {
	p := newProject(t, []cards.Step{sh("a", "true", out("o"))}, "o", "of an earlier run")
	p.fails("output o does not exist")

	// An earlier step of the same run cannot stand in either.
	p = newProject(t, []cards.Step{sh("a", "echo >o"), sh("b", "true", out("o"))})
	p.fails("step b: output o does not exist")

	// A pattern does not take last time's output for a source.
	p = newProject(t, []cards.Step{sh("a", "cat *.txt >all.txt", in("*.txt"), out("all.txt"))}, "x.txt", "X", "all.txt", "old")
	p.run(t.Context(), audit.StatusOK)
	if got := p.tape.end("a").Inputs; !reflect.DeepEqual(got, []audit.Item{item("x.txt", "X")}) {
		t.Errorf("inputs %v", got)
	}
}

// What is refused as too many files is what a line of a trail cannot hold.
func TestFits(t *testing.T) {
	names := make([]string, 4000)
	for i := range names {
		names[i] = fmt.Sprintf("many/%0200d", i)
	}
	if err := fits(names...); err == nil || !strings.HasPrefix(err.Error(), "4000 files do not fit into one event") {
		t.Errorf("4000 long names: %v", err)
	}
	for fits(names...) != nil {
		names = names[1:]
	}
	list := make([]audit.Item, len(names))
	for i, name := range names {
		list[i] = item(name, "")
	}
	data, err := canon.Marshal(list)
	if err != nil || len(data) > maxItems+2 || len(data) < maxItems-1000 {
		t.Errorf("%d names that fit take %d bytes, %v", len(names), len(data), err)
	}
}

// Where recording fails, nothing goes on.
func TestRecorderFails(t *testing.T) {
	steps := []cards.Step{sh("a", "touch ran"), sh("b", "touch b-ran")}
	for at := 1; at <= 7; at++ {
		p := newProject(t, steps)
		p.tape.failAt = at
		_, err := Execute(t.Context(), p.Job, p.tape)
		if err == nil || len(p.tape.drafts) != at-1 {
			t.Errorf("append %d failed: %v, %s", at, err, p.tape.story())
		}
		if p.has("ran") != (at > 2) || p.has("b-ran") != (at > 4) {
			t.Errorf("append %d failed: a ran %v, b ran %v", at, p.has("ran"), p.has("b-ran"))
		}
	}
}
