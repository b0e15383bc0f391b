package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/internal/regular"
)

// makefile is what the Makefile of a project says.
type makefile struct {
	Makefile string // its name
	Target   string // that builds
	Test     bool   // there is a target test
}

// FromMakefile returns the project in dir that a Makefile builds: by its target
// build, else by all. What the target reads and makes is for people to fill in.
func FromMakefile(dir, name string) (Project, error) {
	p := Blank(name)
	p.pipeline = "pipeline-make.yaml.tmpl"
	p.Ignore = nil
	text, err := p.makefile.read(dir)
	if err != nil {
		return p, err
	}
	targets := makeTargets(text)
	switch {
	case targets["build"]:
		p.Target = "build"
	case targets["all"]:
		p.Target = "all"
	default:
		return p, hint.With(fmt.Errorf("%s: has neither a target build nor a target all", filepath.Join(dir, p.Makefile)),
			"add one, or leave --from-makefile out and fill in the command")
	}
	p.Test = targets["test"]
	return p, nil
}

// read reads the file that make would take.
func (m *makefile) read(dir string) (string, error) {
	var missing error
	for _, m.Makefile = range []string{"GNUmakefile", "makefile", "Makefile"} {
		data, err := regular.ReadFile(filepath.Join(dir, m.Makefile), maxProjectFile)
		if !errors.Is(err, fs.ErrNotExist) {
			return string(data), err
		}
		missing = err
	}
	return "", hint.With(missing, "leave --from-makefile out, and fill in the command")
}

// Variables that are set for a target alone look like a rule.
var targetVariable = lazyregexp.New(`^\s*((export|override|private|undefine)\s+)*[A-Za-z_][A-Za-z0-9_.]*\s*[:+?!]*=`)

// makeTargets returns the targets that have a rule in the text of a Makefile. It
// reads what stands there: no included file, no variable, no pattern.
func makeTargets(text string) map[string]bool {
	targets := map[string]bool{}
	inside := false // of define ... endef
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if strings.HasPrefix(line, "\t") {
			continue // of a recipe
		}
		line, _, _ = strings.Cut(line, "#")
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case word == "define":
			inside = true
		case word == "endef":
			inside = false
		}
		names, rest, ok := strings.Cut(line, ":")
		rest = strings.TrimLeft(rest, ":") // a double colon makes a rule as well
		if inside || !ok || strings.Contains(names, "=") || strings.HasPrefix(rest, "=") || targetVariable.MatchString(rest) {
			continue
		}
		for _, name := range strings.Fields(names) {
			targets[name] = true
		}
	}
	return targets
}
