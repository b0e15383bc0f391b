package capture

import (
	"context"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/regular"
)

// A tool is a declared program and the file that PATH finds for it.
type tool struct {
	name string
	file string // what is run: a program like busybox goes by the name of the link
	real string // the same file, symbolic links followed: what is hashed
}

// findTools finds every declared tool, in order of name.
func (m *machine) findTools(names []string, problems *Problems) []tool {
	var tools []tool
	for _, name := range sorted(names) {
		if name == "" || name == "." || name == ".." || !canon.Printable(name) || strings.ContainsAny(name, `/\:`) {
			problems.add(KindTool, name, "not the name of a program", "name a program that PATH finds; a file of the project is an input of its step", nil)
			continue
		}
		t, err := m.find(name)
		if err != nil {
			problems.add(KindTool, name, "not found in any directory of PATH", "install the tool, put it on PATH, or take it from the list", err)
			continue
		}
		tools = append(tools, t)
	}
	return tools
}

// find looks for a program in the directories of PATH. Relative ones are passed
// over: what they mean depends on who asks.
func (m *machine) find(name string) (tool, error) {
	list, _ := m.lookup("PATH")
	gone := fs.ErrNotExist
	for _, dir := range filepath.SplitList(list) {
		if !filepath.IsAbs(dir) {
			continue
		}
		for _, ext := range m.extensions(name) {
			file := filepath.Join(string(m.root), dir, name+ext)
			info, err := regular.Stat(file)
			if m.note(err) != nil && !isAbsent(err) {
				gone = err // it may be the one
			}
			if err != nil || !info.Mode().IsRegular() || !executable(file, info) {
				continue
			}
			real, err := filepath.EvalSymlinks(file)
			if m.note(err) != nil {
				return tool{}, err
			}
			return tool{name, file, real}, nil
		}
	}
	return tool{}, gone
}

// extensions returns what may follow the name of a program's file.
func (m *machine) extensions(name string) []string {
	if runtime.GOOS != "windows" {
		return []string{""}
	}
	list, ok := m.lookup("PATHEXT")
	if !ok {
		list = ".COM;.EXE;.BAT;.CMD"
	}
	exts := filepath.SplitList(strings.ToLower(list))
	if slices.Contains(exts, strings.ToLower(filepath.Ext(name))) {
		return append([]string{""}, exts...)
	}
	return exts
}

// askTools returns the facts of the tools, runtimes apart from everything else.
func (m *machine) askTools(ctx context.Context, tools []tool, problems *Problems) (compilers, runtimes envlock.Component) {
	compilers, runtimes = envlock.Component{}, envlock.Component{}
	for _, t := range tools {
		c, kind := compilers, family(t.name)
		if isRuntime(t.name) {
			c = runtimes
		}
		c[t.name+".file"] = line(filepath.Base(t.real))
		c[t.name+".digest"] = m.digest(t.real)
		c[t.name+".version"] = m.version(ctx, t)
		if s := m.script(t.real); s != "" {
			c[t.name+".script"] = line(s)
		}
		m.goBuild(t, c)
		if kind == "go" {
			m.goEnv(ctx, t, c, problems)
		}
	}
	return compilers, runtimes
}

// script returns what runs a tool that is a script: its digest is then that of a
// wrapper, and says nothing of the program behind it.
func (m *machine) script(file string) string {
	f, err := regular.OpenView(file)
	if m.note(err) != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, 256) // Linux reads no more of it either
	n, err := io.ReadFull(f, head)
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		m.note(err)
	}
	first, _, _ := strings.Cut(string(head[:n]), "\n")
	interpreter, ok := strings.CutPrefix(first, "#!")
	if !ok {
		return ""
	}
	return strings.TrimSpace(interpreter)
}

// isRuntime reports whether a tool is recorded among the runtimes.
func isRuntime(name string) bool { return slices.Contains(interpreters, family(name)) }

// interpreters are the families of programs that run others.
var interpreters = []string{
	"awk", "bash", "bun", "busybox", "dash", "deno", "dotnet", "elixir", "erl", "escript", "fish", "gawk", "guile",
	"java", "jruby", "jshell", "julia", "ksh", "lua", "luajit", "mawk", "mono", "node", "nodejs", "octave", "perl",
	"php", "powershell", "pwsh", "pypy", "python", "R", "racket", "Rscript", "ruby", "sh", "tclsh", "wasmer",
	"wasmtime", "wine", "zsh",
}

// family returns the name of a tool without the version that many carry:
// python3.12, gcc-12, clang++-15.
func family(name string) string {
	if runtime.GOOS == "windows" {
		name = strings.TrimSuffix(strings.ToLower(name), ".exe")
	}
	if short := strings.TrimRight(name, "0123456789.-"); short != "" {
		return short
	}
	return name
}

// toolEnv returns the environment of a step: PATH, HOME, TMPDIR, the variables
// that the pipeline lists, and LANG=C.UTF-8 unless it lists that.
func (m *machine) toolEnv(listed []string) []string {
	env := []string{"LANG=C.UTF-8"}
	names := []string{"PATH", "HOME", "TMPDIR"}
	if runtime.GOOS == "windows" {
		names = append(names, "PATHEXT", "USERPROFILE", "LOCALAPPDATA", "TEMP", "TMP") // without which few programs start
	}
	for _, name := range sorted(append(names, listed...)) {
		value, ok := m.lookup(name)
		if ok && variableName(name) && !strings.Contains(value, "\x00") {
			env = append(env, name+"="+value) // of two, the last one counts
		}
	}
	return env
}
