package run

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/sign"
)

// The story of a run that goes well, with everything that its events carry.
func TestRun(t *testing.T) {
	pack := sh("pack", "cat out/b", needs("build"), in("out/b"), stdoutTo("dist/p"))
	build := sh("build", "cat a.txt c.txt >out/b; echo to stdout; echo to stderr >&2", in("*.txt", "a.txt"), out("out/b"))
	p := newProject(t, []cards.Step{pack, build}, "a.txt", "A", "c.txt", "C", "b.go", "no input", "d.txt/e", "in a directory")
	p.Details = canon.Value(`{"why":"test"}`)
	p.Artifacts = []string{"out/b", "b.go"}
	var progress []string
	p.Progress = func(e Event) { progress = append(progress, e.Step+" "+e.Status) }
	res := p.run(t.Context(), audit.StatusOK)

	const want = "run.start; step.start build; step.end build ok; step.start pack; step.end pack ok; run.end ok; trail.close"
	if got := p.tape.story(); got != want {
		t.Fatalf("story\n%s, want\n%s", got, want)
	}
	if got := strings.Join(progress, ","); got != "build ,build ok,pack ,pack ok" {
		t.Errorf("progress %q", got)
	}
	d := p.tape.drafts
	if string(d[0].Details) != `{"why":"test"}` || d[0].Code != sign.Sum([]byte("test 1")) {
		t.Errorf("run.start %+v", d[0])
	}
	code, _ := build.Hash()
	inputs := []audit.Item{item("a.txt", "A"), item("c.txt", "C")}
	if d[1].Code != code || d[2].Code != code || !reflect.DeepEqual(d[1].Inputs, inputs) || !reflect.DeepEqual(d[2].Inputs, inputs) {
		t.Errorf("build: %+v %+v", d[1], d[2])
	}
	if !reflect.DeepEqual(d[2].Outputs, []audit.Item{item("out/b", "AC")}) || !reflect.DeepEqual(d[4].Outputs, []audit.Item{item("dist/p", "AC")}) {
		t.Errorf("outputs %v %v", d[2].Outputs, d[4].Outputs)
	}
	if !reflect.DeepEqual(d[5].Outputs, []audit.Item{item("b.go", "no input"), item("out/b", "AC")}) {
		t.Errorf("run.end outputs %v", d[5].Outputs)
	}
	if want := []Artifact{{"b.go", sign.Sum([]byte("no input")), 8}, {"out/b", sign.Sum([]byte("AC")), 2}}; !reflect.DeepEqual(res.Artifacts, want) {
		t.Errorf("artifacts %v", res.Artifacts)
	}
	for _, name := range []string{"makespan", "cpu_user", "cpu_sys", "peak_mem"} {
		if d[2].Snapshot[name] == "" || d[5].Snapshot[name] == "" {
			t.Errorf("no %s in %v, %v", name, d[2].Snapshot, d[5].Snapshot)
		}
	}

	log, err := os.ReadFile(res.Steps[0].Log)
	if err != nil || string(log) != "to stdout\nto stderr\n" {
		t.Errorf("log %q, %v", log, err)
	}
	if m := detail(t, d[2]); *m.ExitCode != 0 || m.Log.Hash != sign.Sum(log) || m.Log.Size != int64(len(log)) {
		t.Errorf("details %s", d[2].Details)
	}
	if info, err := os.Stat(res.Steps[0].Log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("log has mode %v, %v", info.Mode(), err)
	}
}

// A step sees exactly the variables that it should.
func TestEnvironment(t *testing.T) {
	s := cards.Step{ID: "env", Run: []string{"env"}, Stdout: "env.txt", Env: map[string]string{"OWN": "1 2", "BOTH": "step"}}
	p := newProject(t, []cards.Step{s})
	p.Pipeline.Env = []string{"BOTH", "LISTED", "UNSET"}
	surroundings := map[string]string{
		"PATH": "relative:" + os.Getenv("PATH"), "HOME": "/h", "LANG": "de_DE", "SECRET": "s",
		"LISTED": "l", "BOTH": "list", "PWD": "/p", "GOFLAGS": "-x",
	}
	p.LookupEnv = func(name string) (string, bool) { v, ok := surroundings[name]; return v, ok }
	p.run(t.Context(), audit.StatusOK)
	want := "BOTH=step\nHOME=/h\nLANG=C.UTF-8\nLISTED=l\nOWN=1 2\nPATH=" + surroundings["PATH"] + "\n"
	if got := p.read("env.txt"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestCommandNames(t *testing.T) {
	script := "#!/bin/sh\necho \"$0\" \"$@\"; cat\n"
	p := newProject(t, []cards.Step{{ID: "a", Run: []string{"./tool/x.sh", "1 2", "*"}, Stdout: "o"}}, "tool/x.sh", script)
	if err := os.Chmod(filepath.Join(p.Dir, "tool/x.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.run(t.Context(), audit.StatusOK)
	if got := p.read("o"); !strings.HasSuffix(got, "/tool/x.sh 1 2 *\n") {
		t.Errorf("got %q", got)
	}

	for _, name := range []string{"x.sh", "no-such-program", "tool/x", "./tool/none"} {
		p := newProject(t, []cards.Step{{ID: "a", Run: []string{name}}}, "tool/x", script, "x.sh", script)
		p.LookupEnv = func(string) (string, bool) { return ".:", true }
		p.fails("step a: command " + name)
		if d := p.tape.end("a"); d.Details != nil || len(d.Snapshot) != 0 {
			t.Errorf("%s: %s %v", name, d.Details, d.Snapshot)
		}
	}
}

func TestStdout(t *testing.T) {
	p := newProject(t, []cards.Step{sh("a", "echo out; echo err >&2", stdoutTo("d/o.txt"))})
	res := p.run(t.Context(), audit.StatusOK)
	log, _ := os.ReadFile(res.Steps[0].Log)
	if p.read("d/o.txt") != "out\n" || string(log) != "err\n" || p.has("d/.o.txt.part") {
		t.Errorf("stdout %q, log %q", p.read("d/o.txt"), log)
	}

	p = newProject(t, []cards.Step{sh("a", "echo half; exit 3", stdoutTo("o"))}, "o", "stale", ".o.part", "stale")
	p.fails("step a: exit code 3")
	if p.has("o") || p.has(".o.part") {
		t.Error("the standard output of a failed step was kept")
	}
}

// A run that cannot begin records nothing.
func TestRefused(t *testing.T) {
	for _, s := range []cards.Step{
		{ID: "../a", Run: []string{"true"}},
		{ID: "a"},
		{ID: "a", Run: []string{"true"}, Outputs: []string{"../x"}},
		{ID: "a", Run: []string{"true"}, Outputs: []string{"/x"}},
		{ID: "a", Run: []string{"true"}, Stdout: "./x"},
		{ID: "a", Run: []string{"true"}, Inputs: []string{"x"}, Outputs: []string{"x"}},
	} {
		p := newProject(t, []cards.Step{s}, "x", "mine")
		if _, err := Execute(t.Context(), p.Job, p.tape); err == nil || len(p.tape.drafts) != 0 || !p.has("x") {
			t.Errorf("%+v: %v", s, err)
		}
	}
	p := newProject(t, []cards.Step{sh("a", "true")})
	p.Artifacts = []string{"../x"}
	if _, err := Execute(t.Context(), p.Job, p.tape); err == nil {
		t.Error("an artifact outside the project was accepted")
	}
}
