package cards

import (
	"fmt"
	"path"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/internal/limits"
)

// maxPath bounds a path that is not an output, in bytes.
const maxPath = 1024

// artifactDir is where a bundle keeps copies of outputs.
const artifactDir = "artifacts/"

var (
	toolName   = lazyregexp.New(`^[A-Za-z0-9_+@=~.-]{1,100}$`)
	outputPath = lazyregexp.New(`^[A-Za-z0-9_+@=~][A-Za-z0-9_+@=~.-]*(/[A-Za-z0-9_+@=~][A-Za-z0-9_+@=~.-]*)*$`)
	drive      = lazyregexp.New(`^[A-Za-z]:`)
)

// IsGlob reports whether an input is a pattern, in which a segment may hold *, ?
// and [...] as in [path.Match], and not the name of one file. A star stays
// within its segment.
func IsGlob(input string) bool { return strings.ContainsAny(input, "*?[") }

// localFault says why p is not a clean slash path below the project, or "".
// What it accepts means the same file on every system: on Windows a backslash
// separates, and a drive letter leaves the project.
func localFault(p string) string {
	switch {
	case p == "":
		return "is empty"
	case len(p) > maxPath:
		return fmt.Sprintf("is longer than %d bytes", maxPath)
	case !canon.Printable(p):
		return "has a character outside U+0020 to U+007E"
	case strings.Contains(p, `\`):
		return `has a backslash; paths are written with "/"`
	case path.IsAbs(p) || drive.MatchString(p):
		return "is absolute; paths are relative to the project"
	case p == ".." || strings.HasPrefix(p, "../") || strings.Contains(p, "/../") || strings.HasSuffix(p, "/.."):
		return `has a segment ".."; paths stay below the project`
	case path.Clean(p) != p || p == ".":
		return fmt.Sprintf("is not clean; write %s", path.Clean(p))
	}
	return ""
}

func checkLocal(report document.Reporter, p string, at document.Path) bool {
	fault := localFault(p)
	if fault == "" && IsGlob(p) {
		fault = "is a pattern; name one file"
	}
	if fault != "" {
		report(at, document.Quote(p)+" "+fault, "")
	}
	return fault == ""
}

// checkTool takes the name of a program on PATH or a path below the project;
// "./x" is such a path, since x alone would be looked up on PATH.
func checkTool(report document.Reporter, tool string, at document.Path) {
	if strings.ContainsAny(tool, `/\`) {
		if fault := localFault(strings.TrimPrefix(tool, "./")); fault != "" {
			report(at, document.Quote(tool)+" "+fault, "")
		}
		return
	}
	if !toolName.MatchString(tool) || strings.Trim(tool, ".") == "" || tool[0] == '-' {
		report(at, document.Quote(tool)+" is neither a program's name nor a path below the project", "")
	}
}

func checkInput(report document.Reporter, p string, at document.Path) {
	fault, hint := localFault(p), ""
	if fault == "" && IsGlob(p) {
		if strings.Contains(p, "**") {
			fault, hint = "has **, which would match no deeper than *", "name one level at a time: *.go, */*.go"
		} else if _, err := path.Match(p, ""); err != nil {
			fault = "is not a well-formed pattern"
		}
	}
	if fault != "" {
		report(at, document.Quote(p)+" "+fault, hint)
	}
}

// checkOutput takes an exact path under which a bundle can hold a copy.
func checkOutput(report document.Reporter, p string, at document.Path) {
	fault, hint := localFault(p), ""
	switch most := limits.Path - len(artifactDir); {
	case fault != "":
	case IsGlob(p):
		fault = "is a pattern; outputs are named one by one"
	case len(p) > most:
		fault = fmt.Sprintf("has %d bytes; with %s before it a bundle takes %d", len(p), artifactDir, most)
	case !outputPath.MatchString(p):
		fault, hint = "cannot be in a bundle", "use A-Z a-z 0-9 _ + @ = ~ . - and begin no segment with . or -"
	}
	if fault != "" {
		report(at, document.Quote(p)+" "+fault, hint)
	}
}
