//go:build unix

package capture

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeTool writes one program named name whose file is script, and returns what
// asks it and waits so long.
func fakeTool(t *testing.T, name, script string, env map[string]string, listed ...string) func(patience time.Duration) map[string]*string {
	t.Helper()
	r := Request{Dir: t.TempDir(), Root: t.TempDir(), Tools: []string{name}, Env: listed, LookupEnv: lookup(env)}
	tree{"/bin/" + name: script}.write(t, r.Root)
	return func(patience time.Duration) map[string]*string {
		m, err := newMachine(r)
		if err != nil {
			t.Fatal(err)
		}
		defer m.project.Close()
		m.patience = patience
		var problems Problems
		compilers, runtimes := m.askTools(t.Context(), m.findTools(r.Tools, &problems), &problems)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		if len(runtimes) > 0 {
			return runtimes
		}
		return compilers
	}
}

func TestVersionLine(t *testing.T) {
	env := map[string]string{"PATH": "/bin"}
	tests := []struct {
		what, name, script, want string
		hangs                    bool
	}{
		{"first line", "cc", `echo "$1 1"; echo 2`, "--version 1", false},
		{"empty lines first", "perl", `echo; echo " "; echo "This is perl"`, "This is perl", false},
		{"standard error", "java", `echo 'Picked up JAVA_TOOL_OPTIONS: -Xmx1g' >&2; echo "openjdk $1" >&2`, "openjdk -version", false},
		{"standard output comes first", "x", `echo warning >&2; echo 1`, "1", false},
		{"own question", "go1.26", `echo "$*"`, "version", false},
		{"marked line", "nvcc", `echo nvcc: NVIDIA; echo 'Cuda compilation tools, release 12.4, V12.4.1'`, "Cuda compilation tools, release 12.4, V12.4.1", false},
		{"colours", "mvn", `printf '\033[1mApache Maven 3.9\033[m\n'`, "Apache Maven 3.9", false},
		{"white space", "x", `printf 'x\t 1\r\n'`, "x 1", false},
		{"unknown option", "x", `echo 'unknown option'; exit 2`, "", false},
		{"silence", "x", `:`, "", false},
		{"not UTF-8", "x", `printf '\377\n'`, "", false},
		{"control characters", "x", `printf 'a\001b\n'`, "", false},
		{"waits for input", "x", `read line; echo "got $?"`, "got 1", false},
		{"hangs", "x", `sleep 6000`, "", true},
		{"ignores signals", "x", `trap '' TERM INT HUP; while :; do sleep 6000; done`, "", true},
		{"endless output", "x", `while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done`, "", false},
		{"endless errors", "x", `while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx >&2; done`, "", false},
		{"leaves a child with the pipe", "x", `sleep 6000 & echo 1`, "1", false},
		{"no program", "x", "\x7f", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			ask := fakeTool(t, tt.name, "#!/bin/sh\n"+tt.script+"\n", env)
			t.Parallel()
			patience := time.Minute
			if tt.hangs {
				patience = 500 * time.Millisecond
			}
			facts := ask(patience)
			got, ok := facts[tt.name+".version"]
			if !ok {
				t.Fatalf("no version among %v", facts)
			}
			if got == nil && tt.want != "" || got != nil && *got != tt.want {
				t.Errorf("version is %s, want %q", show(got), tt.want)
			}
			if facts[tt.name+".digest"] == nil || *facts[tt.name+".file"] != tt.name {
				t.Errorf("digest %s, file %s", show(facts[tt.name+".digest"]), show(facts[tt.name+".file"]))
			}
		})
	}
}

// Nothing that a tool starts survives its answer.
func TestToolLeavesNothing(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	script := "#!/bin/sh\n(while :; do : >" + mark + "; sleep 0.02; done) >/dev/null 2>&1 &\necho 1\n"
	fakeTool(t, "x", script, map[string]string{"PATH": "/bin"})(time.Minute)
	os.Remove(mark)
	time.Sleep(200 * time.Millisecond)
	if _, err := os.Stat(mark); err == nil {
		t.Error("a child of the tool goes on")
	}
}

// A tool is asked with the environment of a step.
func TestToolEnvironment(t *testing.T) {
	env := map[string]string{"PATH": "/bin:/usr/bin", "HOME": "/home/u", "TMPDIR": "/tmp", "LISTED": "1", "UNLISTED": "2", "LANG": "de_DE"}
	script := "#!/bin/sh\necho \"$HOME $TMPDIR $LISTED $UNLISTED $LANG ${UNSET-unset}\"\n"
	facts := fakeTool(t, "x", script, env, "LISTED", "UNSET")(time.Minute)
	if got, want := show(facts["x.version"]), "/home/u /tmp 1 C.UTF-8 unset"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	facts = fakeTool(t, "x", script, env, "LANG")(time.Minute)
	if got, want := show(facts["x.version"]), "/home/u /tmp de_DE unset"; got != want {
		t.Errorf("with LANG listed: got %q, want %q", got, want)
	}
}

// A program such as busybox goes by the name it is called by, and chooses its
// version by the directory it is called in.
func TestToolNameAndDirectory(t *testing.T) {
	project := t.TempDir()
	r := Request{Dir: project, Root: t.TempDir(), Tools: []string{"sh"}, LookupEnv: lookup(map[string]string{"PATH": ":relative:/bin"})}
	tree{"/bin/sh": "-> multi", "/bin/multi": "#!/bin/sh\necho \"${0##*/} in $(pwd -P)\"\n"}.write(t, r.Root)
	l, err := Capture(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(project)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(l.Env.Runtimes["sh.version"]), "sh in "+real; got != want {
		t.Errorf("version is %q, want %q", got, want)
	}
	if got := show(l.Env.Runtimes["sh.file"]); got != "multi" {
		t.Errorf("file is %q, want multi", got)
	}
}

func TestFindTools(t *testing.T) {
	dir := t.TempDir()
	tree{
		"/bin/plain":           "no program",
		"/bin/folder/x":        "",
		"/bin/dangling":        "-> nothing",
		"/bin/later":           "no program",
		"/usr/bin/later":       "#!/bin/sh\n",
		"/relative/here":       "#!/bin/sh\n",
		"/bin/name with space": "#!/bin/sh\n",
	}.write(t, dir)
	m, err := newMachine(Request{Root: dir, LookupEnv: lookup(map[string]string{"PATH": "relative::/bin:/missing:/usr/bin"})})
	if err != nil {
		t.Fatal(err)
	}
	defer m.project.Close()
	for name, want := range map[string]bool{"plain": false, "folder": false, "dangling": false, "later": true, "here": false,
		"name with space": true, "bin/later": false, "..": false, "a\x1bb": false} {
		var problems Problems
		tools := m.findTools([]string{name}, &problems)
		if (len(tools) == 1) != want || (len(problems) == 0) != want {
			t.Errorf("%q: tools %v, problems %v", name, tools, problems)
		}
	}
}

func TestFamily(t *testing.T) {
	for name, want := range map[string]string{"python3.12": "python", "gcc-12": "gcc", "clang++-15": "clang++", "go": "go", "go1.26.1": "go",
		"7z": "7z", "lua5.4": "lua", "sha256sum": "sha256sum", "123": "123", "x86_64-linux-gnu-gcc-12": "x86_64-linux-gnu-gcc"} {
		if got := family(name); got != want {
			t.Errorf("family of %q is %q, want %q", name, got, want)
		}
	}
}

// A credential among the settings of the go command is refused like one in a
// variable.
func TestGoSettings(t *testing.T) {
	secret := "ghp_0123456789abcdefghijABCDEFGHIJ012345"
	machine := fakeMachine.with(tree{"/bin/go": strings.Replace(fakeGo, `"GOFLAGS":""`, fmt.Sprintf(`"GOFLAGS":"-ldflags=-X=main.t=%s"`, secret), 1)})
	_, err := capture(t, machine, fakeProject, fakeEnv, nil)
	if err == nil || !strings.Contains(err.Error(), `tool "go": its setting GOFLAGS looks like a GitHub token`) || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v", err)
	}
	l, err := capture(t, machine, fakeProject, fakeEnv, func(r *Request) { r.AllowSecrets = []string{"GOFLAGS"} })
	if err != nil || !strings.Contains(show(l.Env.Compilers["go.GOFLAGS"]), secret) {
		t.Errorf("with secrets allowed: %v, %v", l.Env.Compilers, err)
	}
	for _, script := range []string{"#!/bin/sh\nexit 1\n", "#!/bin/sh\necho '[1]'\n", "#!/bin/sh\necho '{}'\n"} {
		l, err := capture(t, fakeMachine.with(tree{"/bin/go": script}), fakeProject, fakeEnv, nil)
		if v, ok := l.Env.Compilers["go.GOOS"]; err != nil || !ok || v != nil {
			t.Errorf("%q: GOOS is %s, %v, want null", script, show(v), err)
		}
	}
}
