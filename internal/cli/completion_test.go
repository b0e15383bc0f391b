package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A typed line and what may follow: the words that begin with the last of it. None
// means that the shell offers files.
type completed struct {
	line []string
	want []string
}

// completions are what the tree of commands says for each command, flag and value.
func completions(root node) (list []completed) {
	for _, n := range root.all() {
		at := append([]string{"relseal"}, strings.Fields(n.path)...)
		then := func(more ...string) []string { return append(slices.Clone(at), more...) }
		var flags, long []string
		for _, f := range n.flags {
			for _, name := range f.written() {
				flags = append(flags, name)
				if strings.HasPrefix(name, "--") {
					long = append(long, name)
				}
			}
			if f.value != "" {
				list = append(list, completed{then("--"+f.names[0], ""), choices(f.value)})
			}
		}
		list = append(list, completed{then(""), n.words()}, completed{then("-"), flags}, completed{then("--"), long})
		for _, word := range n.words() {
			var same []string
			for _, w := range n.words() {
				if strings.HasPrefix(w, word) {
					same = append(same, w)
				}
			}
			list = append(list, completed{then(word), same})
		}
		if len(n.children) == 0 {
			list = append(list, completed{then("--json", "FILE", "--hel"), []string{"--help"}})
		}
	}
	return append(list,
		completed{[]string{"relseal", "cut", "key", ""}, nil}, // no command: the name of a directory
		completed{[]string{"relseal", "cut", "--key", "=", "f"}, nil},
		completed{[]string{"relseal", "nosuch", "key", ""}, []string{"generate", "show", "check"}},
	)
}

// TestBashCompletion types every line in bash.
func TestBashCompletion(t *testing.T) {
	bash := shell(t, "bash")
	root := commandTree(newApp(newTestApp()))
	var script strings.Builder
	script.WriteString(bashCompletion(root))
	lines := append(completions(root), // = is a word of its own
		completed{[]string{"relseal", "trail", "export", "--format", "=", "js"}, []string{"json", "jsonl"}},
		completed{[]string{"relseal", "trail", "export", "--format", "="}, []string{"json", "jsonl", "csv", "none"}},
	)
	for _, c := range lines {
		var words []string
		for _, w := range c.line {
			words = append(words, quoteSh(w))
		}
		fmt.Fprintf(&script, "COMP_WORDS=(%s); COMP_CWORD=%d; _relseal; echo \"${COMPREPLY[*]}\"\n", strings.Join(words, " "), len(c.line)-1)
	}
	script.WriteString("complete -p relseal\n")
	got := strings.Split(runShell(t, bash, script.String()), "\n")
	compare(t, lines, got)
	if last := got[len(got)-2]; last != "complete -o bashdefault -o default -F _relseal relseal" {
		t.Errorf("bash has %q", last)
	}
}

// TestFishCompletion asks fish about every line. It answers in an order of its
// own, and names a flag by its long form.
func TestFishCompletion(t *testing.T) {
	fish := shell(t, "fish")
	root := commandTree(newApp(newTestApp()))
	script := fishCompletion(root) + "cd (mktemp -d)\n"
	list := slices.DeleteFunc(completions(root), func(c completed) bool {
		return slices.Contains(c.line, "=") || c.line[len(c.line)-1] == "-"
	})
	for i, c := range list {
		slices.Sort(list[i].want)
		script += fmt.Sprintf("echo (complete -C %s | string split -f 1 \\t | sort)\n", quoteFish(strings.Join(c.line, " ")))
	}
	compare(t, list, strings.Split(runShell(t, fish, script, "-N"), "\n"))
}

func compare(t *testing.T, list []completed, got []string) {
	t.Helper()
	if len(list) < 100 || len(got) < len(list) {
		t.Fatalf("%d lines, %d answers", len(list), len(got))
	}
	for i, c := range list {
		if want := strings.Join(c.want, " "); got[i] != want {
			t.Errorf("%q: %q, want %q", c.line, got[i], want)
		}
	}
}

// TestCompletionSyntax has each shell that is installed read its script.
func TestCompletionSyntax(t *testing.T) {
	root := commandTree(newApp(newTestApp()))
	root.children[0].usage = `it's "a" $(test) \ of ` + "`quotes`"
	for name, write := range completionScripts {
		t.Run(name, func(t *testing.T) {
			path, script := shell(t, name), write(root)
			file := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(path, "-n", file).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v: %s", err, out)
			}
			if err := os.WriteFile(file, []byte(script+"\n)\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if exec.Command(path, "-n", file).Run() == nil {
				t.Error("what is no script passes as well")
			}
		})
	}
}

func shell(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// runShell executes a script, which must print nothing to stderr.
func runShell(t *testing.T, path, script string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(path, append(args, file)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v: %s", path, err, &stderr)
	}
	return stdout.String()
}

func TestChoices(t *testing.T) {
	for what, want := range map[string]string{
		"bash|zsh|fish": "bash zsh fish",
		"FILE":          "",
		"FILE|-":        "",
		"[DIR]":         "",
		"word":          "",
		"[a|b]":         "a b",
		"":              "",
	} {
		if got := strings.Join(choices(what), " "); got != want {
			t.Errorf("%q: %q, want %q", what, got, want)
		}
	}
	if !slices.Contains(choices("[CODE]"), "E_CHAIN_LINK") {
		t.Error("the codes are not offered")
	}
}
