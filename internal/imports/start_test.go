package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// TestStart: no package compiles a regular expression or parses a template while it is
// initialised, which every command would pay for. internal/lazyregexp and sync.OnceValue
// wait for the first use.
func TestStart(t *testing.T) {
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "examples"):
			return fs.SkipDir
		case d.IsDir() || path.Ext(base) != ".go" || strings.HasSuffix(base, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(os.DirFS(root), name)
		if err != nil {
			return err
		}
		for _, call := range initialised(t, name, source) {
			t.Errorf("%s at package initialisation", call)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// initialised returns the calls of [regexp.MustCompile] and template.Must that stand outside
// of every function.
func initialised(t *testing.T, name string, source []byte) (calls []string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		vars, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		ast.Inspect(vars, func(n ast.Node) bool {
			if _, inside := n.(*ast.FuncLit); inside {
				return false
			}
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := sel.X.(*ast.Ident); ok && (of.Name == "regexp" && sel.Sel.Name == "MustCompile" || of.Name == "template" && sel.Sel.Name == "Must") {
					calls = append(calls, set.Position(sel.Pos()).String()+": "+of.Name+"."+sel.Sel.Name)
				}
			}
			return true
		})
	}
	return calls
}

func TestInitialised(t *testing.T) {
	got := initialised(t, "x.go", []byte(`package x
var a = regexp.MustCompile("a")
var b = []struct{ r *regexp.Regexp }{{regexp.MustCompile("b")}}
var c = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("c") })
func f() { regexp.MustCompile("d") }`))
	if len(got) != 2 {
		t.Errorf("got %v", got)
	}
}
