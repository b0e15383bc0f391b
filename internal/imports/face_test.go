package imports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFace holds the public packages to types that another module can name: an exported
// name whose type lies in an internal package can be read by the compiler alone.
func TestFace(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	packages := public(t, tool)
	if !slices.Contains(packages, module+"/verify") {
		t.Fatalf("verify is not among the public packages: %v", packages)
	}
	load := loader(t, tool, packages)
	for _, p := range packages {
		pkg, err := load.Import(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range hidden(pkg) {
			t.Error(fault)
		}
	}
}

// TestExamples: whoever imports a public package finds out how from an Example that runs.
func TestExamples(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	example := regexp.MustCompile(`(?m)^func Example\w*\(\) \{(?s:.*?)\n\t// Output:`)
	for _, p := range public(t, tool) {
		dir := filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(p, module)))
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(name string) bool {
			source, err := os.ReadFile(name)
			return err == nil && example.Match(source)
		}) {
			t.Errorf("%s has no Example with an Output", p)
		}
	}
}

// public returns the import paths that another module may import, programs apart.
func public(t *testing.T, tool string) (paths []string) {
	t.Helper()
	cmd := exec.Command(tool, "list", "-f", "{{if ne .Name \"main\"}}{{.ImportPath}}{{end}}", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	for p := range strings.FieldsSeq(string(out)) {
		if !internal(p) {
			paths = append(paths, p)
		}
	}
	return paths
}

// loader reads packages as the compiler has written them.
func loader(t *testing.T, tool string, paths []string) types.Importer {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command(tool, append([]string{"list", "-deps", "-export", "-json=ImportPath,Export"}, paths...)...)
	cmd.Dir, cmd.Stderr = root, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
	}
	files := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		files[p.ImportPath] = p.Export
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})
}

func internal(path string) bool {
	return slices.Contains(strings.Split(path, "/"), "internal")
}

// hidden returns what pkg exports and another module cannot name.
func hidden(pkg *types.Package) (faults []string) {
	var w walk
	for _, name := range pkg.Scope().Names() {
		if o := pkg.Scope().Lookup(name); o.Exported() {
			w.object(pkg.Name()+"."+name, o)
		}
	}
	return w.faults
}

type walk struct{ faults []string }

// object looks at the type of an exported name, and at what else that shows if the name
// is a type.
func (w *walk) object(name string, o types.Object) {
	declared, ok := o.(*types.TypeName)
	if !ok {
		w.typ(name, o.Type())
		return
	}
	if declared.IsAlias() {
		w.typ(name, types.Unalias(o.Type()))
		return
	}
	if n, ok := o.Type().(*types.Named); ok {
		w.params(name, n.TypeParams())
	}
	w.typ(name, o.Type().Underlying())
	if _, ok := o.Type().Underlying().(*types.Interface); ok {
		return
	}
	for m := range types.NewMethodSet(types.NewPointer(o.Type())).Methods() {
		if m.Obj().Exported() {
			w.typ(name+"."+m.Obj().Name(), m.Type())
		}
	}
}

// typ looks at every type that is named in t; of a struct at its exported fields.
func (w *walk) typ(where string, t types.Type) {
	switch t := t.(type) {
	case *types.Alias:
		w.named(where, t.Obj())
		w.list(where, t.TypeArgs())
	case *types.Named:
		w.named(where, t.Obj())
		w.list(where, t.TypeArgs())
	case *types.TypeParam: // its constraint stands where it is declared
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels, maps
		w.typ(where, t.Elem())
		if m, ok := t.(*types.Map); ok {
			w.typ(where, m.Key())
		}
	case *types.Signature:
		w.params(where, t.TypeParams())
		for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
			for v := range tuple.Variables() {
				w.typ(where, v.Type())
			}
		}
	case *types.Struct:
		for f := range t.Fields() {
			if f.Exported() {
				w.typ(where+"."+f.Name(), f.Type())
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			if m.Exported() {
				w.typ(where+"."+m.Name(), m.Type())
			}
		}
		for e := range t.EmbeddedTypes() {
			w.typ(where, e)
		}
	case *types.Union:
		for term := range t.Terms() {
			w.typ(where, term.Type())
		}
	}
}

func (w *walk) params(where string, l *types.TypeParamList) {
	for p := range l.TypeParams() {
		w.typ(where, p.Constraint())
	}
}

func (w *walk) list(where string, l *types.TypeList) {
	for t := range l.Types() {
		w.typ(where, t)
	}
}

func (w *walk) named(where string, o *types.TypeName) {
	if o.Pkg() != nil && internal(o.Pkg().Path()) {
		w.faults = append(w.faults, fmt.Sprintf("%s shows %s.%s", where, o.Pkg().Path(), o.Name()))
	}
}

func TestHidden(t *testing.T) {
	set := token.NewFileSet()
	compile := func(path, source string, with types.Importer) *types.Package {
		file, err := parser.ParseFile(set, path+".go", source, 0)
		if err != nil {
			t.Fatal(err)
		}
		p, err := (&types.Config{Importer: with}).Check(path, set, []*ast.File{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	in := compile("x.test/m/internal/y", `package y; type T struct{}; type U struct{ A T }; func (U) M() T { return T{} }`, nil)
	p := compile("x.test/m/p", `package p
import "x.test/m/internal/y"
type Same = y.T
type Field struct { Shown []y.T; hidden y.T }
type Embeds struct { y.U }
type Asks interface { Of(map[string]y.T) }
func Returns() (func(*y.T), error) { return nil, nil }
func Generic[X interface{ y.T }]() {}
func (Fine) M() y.T { return y.T{} }
var Value y.T
type Fine struct { hidden y.T; Next *Fine }
func unexported(y.T) {}
`, importing{in})
	const shows = " shows x.test/m/internal/y."
	want := []string{"p.Asks.Of" + shows + "T", "p.Embeds.M" + shows + "T", "p.Embeds.U" + shows + "U", "p.Field.Shown" + shows + "T",
		"p.Fine.M" + shows + "T", "p.Generic" + shows + "T", "p.Returns" + shows + "T", "p.Same" + shows + "T", "p.Value" + shows + "T"}
	if got := slices.Sorted(slices.Values(hidden(p))); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// importing is an Importer of one package.
type importing struct{ p *types.Package }

func (i importing) Import(string) (*types.Package, error) { return i.p, nil }
