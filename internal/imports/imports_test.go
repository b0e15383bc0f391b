package imports

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/relseal/relseal"
	root   = "../.."
)

// TestTable reads the import declarations themselves: a list made by the go
// command would leave out the files of other systems.
func TestTable(t *testing.T) {
	found, err := scan(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 5 || found["canon"] == nil {
		t.Fatalf("only %d packages found: is %s the root of the module?", len(found), root)
	}
	for _, dir := range sorted(found) {
		for _, fault := range check(dir, found[dir]) {
			t.Error(fault)
		}
	}
}

// A row that names a package which has none is a slip of the pen.
func TestRows(t *testing.T) {
	for dir, r := range table {
		for _, own := range r.own {
			if _, ok := table[own]; !ok && own != anything {
				t.Errorf("the row of %s allows %s, which has no row", dir, own)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct{ dir, path, want string }{
		{"sign", "crypto/sha256", ""},
		{"sign", module + "/canon", ""},
		{"sign", edwards, ""},
		{"sign", edwards + "/field", ""},
		{"sign", "crypto/x509", "sign must never import crypto/x509"},
		{"sign", "crypto/x509/pkix", "sign must never import crypto/x509/pkix"},
		{"sign", edwards + "x", "sign may not import " + edwards + "x; its third-party modules are: " + edwards},
		{"sign", module + "/audit", "sign may not import audit; its packages are: canon internal/limits"},
		{"sign", module + "/canon/x", "sign may not import canon/x; its packages are: canon internal/limits"},
		{"verify", sigstore + "/pkg/signature", "verify may not import " + sigstore + "/pkg/signature; its third-party modules are: none"},
		{"internal/hint", module + "/sign", "internal/hint may not import sign; its packages are: finding"},
		{"internal/cut", module + "/internal/cli", "internal/cut must never import internal/cli"},
		{"internal/cut", module + "/keys", ""},
		{"internal/cli", "github.com/urfave/cli/v2", ""},
		{"internal/cli/key", module + "/internal/cli/ui", ""},
		{"internal/cli/key", module + "/internal/cli/trust", "internal/cli/key must never import internal/cli/trust"},
		{"cmd/relseal", "C", "cmd/relseal must never import C"},
		{"later", "fmt", "later has no row in internal/imports/table_test.go: add one that says what it may import"},
	} {
		got := strings.Join(check(tt.dir, []use{{tt.path, "x.go:1"}}), "\n")
		if tt.want != "" && tt.dir != "later" {
			tt.want = "x.go:1: " + tt.want
		}
		if got != tt.want {
			t.Errorf("%s imports %s: %q, want %q", tt.dir, tt.path, got, tt.want)
		}
	}
}

// A use is one import declaration.
type use struct {
	path string
	at   string // file:line
}

// check returns what is wrong with the imports of the package in dir.
func check(dir string, uses []use) (faults []string) {
	r, ok := table[dir]
	if !ok {
		return []string{dir + " has no row in internal/imports/table_test.go: add one that says what it may import"}
	}
	for _, u := range uses {
		own, isOwn := strings.CutPrefix(u.path, module+"/")
		domain, _, _ := strings.Cut(u.path, "/")
		switch {
		case u.path == "C" || within(u.path, r.never): // cgo would tie a release to one machine
			faults = append(faults, fmt.Sprintf("%s: %s must never import %s", u.at, dir, own))
		case isOwn && !slices.Contains(r.own, own) && !slices.Contains(r.own, anything):
			faults = append(faults, fmt.Sprintf("%s: %s may not import %s; its packages are: %s", u.at, dir, own, list(r.own)))
		case !isOwn && strings.Contains(domain, ".") && !within(u.path, r.mods) && !slices.Contains(r.mods, anything):
			faults = append(faults, fmt.Sprintf("%s: %s may not import %s; its third-party modules are: %s", u.at, dir, own, list(r.mods)))
		}
	}
	return faults
}

// within reports whether an import path is one of the given ones or below one.
func within(p string, of []string) bool {
	return slices.ContainsFunc(of, func(o string) bool { return p == o || strings.HasPrefix(p, o+"/") })
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, " ")
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// scan returns the imports of every package of the module, tests apart, by the
// package's folder.
func scan(tree fs.FS) (map[string][]use, error) {
	found := map[string][]use{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() {
			if name == "." {
				return nil
			}
			_, nested := fs.Stat(tree, path.Join(name, "go.mod"))
			if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || nested == nil {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(base) != ".go" || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		uses, err := imports(tree, name)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		found[dir] = append(found[dir], uses...)
		return nil
	})
	return found, err
}

// imports returns the imports of one file; never nil, so that a package without
// any is found too.
func imports(tree fs.FS, name string) ([]use, error) {
	source, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	uses := []use{}
	for _, spec := range file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		uses = append(uses, use{p, fmt.Sprintf("%s:%d", name, set.Position(spec.Pos()).Line)})
	}
	return uses, nil
}
