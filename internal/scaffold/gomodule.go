package scaffold

import (
	"errors"
	"fmt"
	"go/build"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/internal/regular"
)

// goModule is what a Go module says of itself.
type goModule struct {
	Main   string   // the package that is built, such as ./cmd/greetd
	Binary string   // what is built
	Locks  []string // go.mod, and go.sum if there is one
	Inputs []string // patterns that match its sources
	Embeds []string // what the patterns do not match
	Cgo    bool
}

// FromGoModule returns the project of the Go module in dir. Of several commands
// main names the one to build, as ./cmd/greetd; "" leaves the choice to this
// function, which makes none where there is doubt.
func FromGoModule(dir, main string) (Project, error) {
	data, err := regular.ReadFile(filepath.Join(dir, "go.mod"), maxProjectFile)
	if err != nil {
		return Project{}, hint.With(err, "go mod init makes one")
	}
	module := modulePath(string(data))
	if module == "" {
		return Project{}, fmt.Errorf("%s: names no module", filepath.Join(dir, "go.mod"))
	}
	p := Blank(moduleName(module))
	p.pipeline = "pipeline-go.yaml.tmpl"
	found, err := scanModule(dir)
	if err != nil {
		return p, err
	}
	if main, err = found.choose(main, p.Product); err != nil {
		return p, fmt.Errorf("%s: %w", filepath.Join(dir, "go.mod"), err)
	}
	if main != "." {
		p.Name = path.Base(main)
	}
	p.Main, p.Binary = localPackage(main), "out/"+p.Name
	p.Artifacts = []string{p.Binary, "out/modules.txt"}
	p.Locks = []string{"go.mod"}
	for _, lock := range []string{"go.sum", "vendor/modules.txt"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(lock))); err == nil {
			p.Locks = append(p.Locks, lock)
		}
	}
	p.Inputs = append(slices.Clone(p.Locks), found.sources...)
	p.Embeds, p.Cgo = found.embeds, found.cgo
	return p, nil
}

var moduleLine = lazyregexp.New("(?m)^[ \t]*module[ \t]+(?:\"([^\"\n]*)\"|`([^`\n]*)`|([^ \t\r\n\"`()]+))[ \t]*(?://.*)?\r?$")

// modulePath returns the path in the module directive of a go.mod.
func modulePath(text string) string {
	m := moduleLine.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1] + m[2] + m[3]
}

var majorVersion = lazyregexp.New(`^v[0-9]+$`)

// moduleName returns the last element of a module's path that is no version.
func moduleName(module string) string {
	base := path.Base(module)
	if dir := path.Dir(module); majorVersion.MatchString(base) && dir != "." {
		base = path.Base(dir)
	}
	if stem, version, ok := strings.Cut(base, ".v"); ok && majorVersion.MatchString("v"+version) { // gopkg.in/yaml.v3
		base = stem
	}
	return base
}

func localPackage(dir string) string {
	if dir == "." {
		return dir
	}
	return "./" + dir
}

// sources are the packages of a module.
type sources struct {
	mains   []string // directories of commands, as slash paths
	sources []string
	embeds  []string
	cgo     bool
}

// scanModule reads the head of every Go file of the module, as the go command
// would on this system. What it never builds is left out: testdata, vendor, names
// that begin with . or _, other modules.
func scanModule(dir string) (s sources, err error) {
	ctxt := build.Default
	ctxt.CgoEnabled = true // to see whether there is need of it
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if rel = filepath.ToSlash(rel); rel != "." {
			base := d.Name()
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || nested == nil {
				return fs.SkipDir
			}
		}
		pkg, err := ctxt.ImportDir(name, 0)
		var none *build.NoGoError
		if errors.As(err, &none) && len(pkg.IgnoredGoFiles) == 0 {
			return nil // no Go files at all
		}
		s.add(rel, pkg)
		return nil // what the go command holds against a package is its to say
	})
	return s, err
}

// add takes up what the package in the directory rel, a slash path, consists of.
func (s *sources) add(rel string, pkg *build.Package) {
	extensions := []string{".go"}
	for _, list := range [][]string{pkg.CFiles, pkg.CXXFiles, pkg.HFiles, pkg.SFiles, pkg.SysoFiles} {
		for _, name := range list {
			extensions = append(extensions, path.Ext(name))
		}
	}
	slices.Sort(extensions)
	for _, ext := range slices.Compact(extensions) {
		s.sources = append(s.sources, path.Join(rel, "*"+ext))
	}
	if patterns := slices.Concat(pkg.EmbedPatterns, pkg.TestEmbedPatterns, pkg.XTestEmbedPatterns); len(patterns) > 0 {
		for i, p := range patterns {
			patterns[i] = strconv.QuoteToASCII(p)
		}
		s.embeds = append(s.embeds, fmt.Sprintf("%s embeds: %s", strconv.QuoteToASCII(localPackage(rel)), strings.Join(patterns, ", ")))
	}
	s.cgo = s.cgo || len(pkg.CgoFiles) > 0
	if pkg.IsCommand() {
		s.mains = append(s.mains, rel)
	}
}

// choose returns the directory of the command to build: the wanted one; else the
// root of the module, cmd/PRODUCT, or the only one there is.
func (s sources) choose(want, product string) (string, error) {
	var names []string
	for _, m := range s.mains {
		names = append(names, localPackage(m))
	}
	if want != "" {
		clean := path.Clean(filepath.ToSlash(want))
		if slices.Contains(s.mains, clean) {
			return clean, nil
		}
		return "", hint.With(fmt.Errorf("%s is no main package", want), "there are: "+strings.Join(names, ", "))
	}
	for _, m := range []string{".", "cmd/" + product} {
		if slices.Contains(s.mains, m) {
			return m, nil
		}
	}
	switch len(s.mains) {
	case 0:
		return "", hint.With(errors.New("no main package, so nothing to build"), "leave --from-go-module out, and fill in what the release consists of")
	case 1:
		return s.mains[0], nil
	}
	return "", hint.With(errors.New("several main packages: "+strings.Join(names, ", ")), "choose one: --main "+names[0])
}
