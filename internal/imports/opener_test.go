package imports

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// openers are the files, tests apart, that open paths without internal/regular, and why.
var openers = map[string]string{
	"internal/regular/prepare.go":       "the null device, so that a poller is there",
	"web/verify/build/main.go":          "reads a file of Go's and one that it made",
	"internal/regular/regular.go":       "is the opener",
	"internal/regular/inject.go":        "is the opener",
	"internal/regular/stream.go":        "waits for a pipe, and no longer than its context",
	"internal/durable/temp.go":          "creates a file that is not there",
	"internal/durable/temp_unix.go":     "opens what bears a temporary name, and waits for nobody",
	"internal/durable/temp_other.go":    "opens what bears a temporary name; nothing waits there",
	"internal/durable/unnamed_linux.go": "creates a file that has no name",
	"internal/durable/dir.go":           "reads files that it made",
	"internal/durable/dir_unix.go":      "opens a directory that it made",
	"internal/cut/unfinished.go":        "creates a file in a directory that it made",
	"internal/rundir/vacate.go":         "creates a file in a directory that it made",
	"audit/resume.go":                   "creates a file that is not there",
	"internal/durable/holder_linux.go":  "reads /proc",
	"internal/durable/lock.go":          "creates a lock; open for writing too, which waits for nobody",
	"internal/durable/publish_unix.go":  "syncs the directory in which it made a file",
	"internal/pack/unpack.go":           "creates files in a directory that it made",
	"internal/clock/clock_linux.go":     "reads /proc",
	"run/proc_linux.go":                 "reads /proc",
	"run/wrap_unix.go":                  "opens the terminal",
	"run/command.go":                    "creates the log and the output of a step",
}

// opens are the functions and methods of os that open a path.
var opens = []string{"Open", "OpenFile", "ReadFile", "OpenInRoot", "Create", "DirFS", "CopyFS", "OpenRoot"}

// TestOpener: whoever reads a path that somebody gave goes through internal/regular,
// which waits for no FIFO and refuses what is no regular file.
func TestOpener(t *testing.T) {
	used := map[string]bool{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "examples") {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(base) != ".go" || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		source, err := fs.ReadFile(os.DirFS(root), name)
		if err != nil {
			return err
		}
		for _, at := range opened(t, name, source) {
			used[name] = true
			if openers[name] == "" {
				t.Errorf("%s: opens a path itself; internal/regular does that", at)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range openers {
		if !used[name] {
			t.Errorf("%s opens nothing any longer: take it off the list", name)
		}
	}
}

// opened returns where a file calls one of opens, of the package os or of a variable
// that is called root.
func opened(t *testing.T, name string, source []byte) (at []string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(opens, sel.Sel.Name) {
			return true
		}
		of := ""
		switch x := sel.X.(type) {
		case *ast.Ident:
			of = x.Name
		case *ast.SelectorExpr:
			of = x.Sel.Name
		}
		if of == "os" || of == "root" || of == "project" || of == "elf" || of == "buildinfo" {
			at = append(at, fmt.Sprintf("%s:%d", name, set.Position(sel.Pos()).Line))
		}
		return true
	})
	return at
}

func TestOpened(t *testing.T) {
	got := opened(t, "x.go", []byte(`package x
func f() {
	os.Open("a")
	r.root.OpenFile("b", 0, 0)
	f := os.ReadFile
	regular.Open("c")
	os.Stat("d")
}`))
	if want := []string{"x.go:3", "x.go:4", "x.go:5"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
