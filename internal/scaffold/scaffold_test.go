package scaffold_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/cards/cardfile"
	"github.com/relseal/relseal/internal/cut"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/scaffold"
	"github.com/relseal/relseal/internal/signer"
	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
)

// ring has one new key.
type ring struct {
	key  *private.Key
	file string
}

func newRing(t *testing.T, project string) ring {
	t.Helper()
	key, err := private.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return ring{key, filepath.Join(project, ".relseal", "release.key")}
}

func (r ring) Open(context.Context, signer.Request) (sign.Signer, error) { return r.key, nil }

func (r ring) Save(comment string) ([]string, error) {
	return private.WritePair(r.file, r.key, nil, comment)
}

// tree writes files below a new directory and returns it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// load writes a project and reads it as a cut does.
func load(t *testing.T, dir string, p scaffold.Project) cut.Project {
	t.Helper()
	files, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text := string(f.Data)
		if !strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\n\n") || strings.Contains(text, "\n\n\n") || strings.Contains(text, " \n") || strings.Contains(text, "<no value>") {
			t.Errorf("%s has a line too many or too few, or a space at the end of one:\n%s", f.Path, text)
		}
	}
	if _, err := scaffold.Write(dir, files); err != nil {
		t.Fatal(err)
	}
	loaded, err := cut.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// A blank project has no faults, whatever its directory is called, and its build
// fails until somebody fills in a command.
func TestBlank(t *testing.T) {
	for name, product := range map[string]string{
		"greetd":                "greetd",
		"My Project":            "my-project",
		"/":                     "product",
		".":                     "product",
		"..":                    "product",
		"-_.x":                  "x",
		"Grüße":                 "gr--e",
		"yes":                   "yes",
		"1.10":                  "1.10",
		"null":                  "null",
		`a"b\c`:                 "a-b-c",
		strings.Repeat("x", 99): strings.Repeat("x", 64),
	} {
		p := load(t, t.TempDir(), scaffold.Blank(name))
		if p.Product != product || p.Passphrase != "prompt" || p.Dirty != "refuse" || p.Policy == nil {
			t.Errorf("%q: %+v", name, p.Config)
		}
		if run := p.PipelineCard.Steps[0].Run; len(p.PipelineCard.Steps) != 1 || !strings.HasSuffix(run[len(run)-1], "exit 1") {
			t.Errorf("%q: runs %q", name, run)
		}
	}
}

// What stands in comments to be uncommented is without fault too.
func TestCommentedExamples(t *testing.T) {
	commented := regexp.MustCompile(`(?m)^( *)#( *)( (?:- |  \w+: )[^\n]*|[ ]*(?:rng|weights): [^\n]*)$`)
	uncomment := func(data []byte) string {
		return commented.ReplaceAllStringFunc(string(data), func(line string) string {
			return strings.Replace(line, "# ", "", 1)
		})
	}
	blank := scaffold.Blank("greetd")
	data, err := blank.PipelineCard()
	if err != nil {
		t.Fatal(err)
	}
	p, err := cardfile.Pipeline("pipeline.yaml", []byte(uncomment(data)))
	if err != nil || len(p.Steps) != 2 || p.RNG == nil || len(p.Weights) != 2 || p.Steps[1].SameAs != "build" || p.Steps[1].TimeoutMS == 0 || len(p.Steps[1].Env) != 1 {
		t.Errorf("%v, %+v\n%s", err, p, uncomment(data))
	}
	if data, err = blank.ParamCard(); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(uncomment(data), "params: []", "params:", 1)
	q, err := cardfile.Params("params.yaml", []byte(text))
	if err != nil || len(q.Params) != 3 || len(q.Weights) != 2 {
		t.Errorf("%v, %+v\n%s", err, q, text)
	}
}

const (
	command = "package main\n\nfunc main() {}\n"
	library = "package x\n"
)

func TestFromGoModule(t *testing.T) {
	for _, tt := range []struct {
		name, main      string
		files           map[string]string
		product, binary string
		build           string // the package
		inputs, locks   []string
	}{
		{
			name:    "in the root",
			files:   map[string]string{"go.mod": "module example.test/greetd\n\ngo 1.26\n", "main.go": command, "x/x.go": library, "x/x_test.go": library},
			product: "greetd", binary: "out/greetd", build: ".",
			inputs: []string{"*.go", "go.mod", "x/*.go"}, locks: []string{"go.mod"},
		},
		{
			name: "below cmd, of several, with what is not built",
			files: map[string]string{
				"go.mod": "// a module\nmodule \"example.test/Greetd/v2\" // major\n", "go.sum": "", "cmd/greetd/main.go": command, "cmd/other/main.go": command,
				"doc.go": library, "testdata/x.go": command, "vendor/a/a.go": command, "vendor/modules.txt": "", ".git/x.go": command, "_old/x.go": command,
				"tools/go.mod": "module tools\n", "tools/main.go": command, "docs/README": "", "gen/gen.go": "//go:build ignore\n\n" + command,
				"windows/x_windows.go": library, "plan9/x_plan9.go": library,
			},
			product: "greetd", binary: "out/greetd", build: "./cmd/greetd",
			inputs: []string{"*.go", "cmd/greetd/*.go", "cmd/other/*.go", "gen/*.go", "go.mod", "go.sum", "plan9/*.go", "vendor/modules.txt", "windows/*.go"},
			locks:  []string{"go.mod", "go.sum", "vendor/modules.txt"},
		},
		{
			name: "the only one, elsewhere", files: map[string]string{"go.mod": "module gopkg.in/tool.v3\r\n", "a b/run/main.go": command},
			product: "tool", binary: "out/run", build: "./a b/run", inputs: []string{"a b/run/*.go", "go.mod"}, locks: []string{"go.mod"},
		},
		{
			name: "chosen", main: "./cmd/b/", files: map[string]string{"go.mod": "module m", "cmd/a/a.go": command, "cmd/b/b.go": command},
			product: "m", binary: "out/b", build: "./cmd/b", inputs: []string{"cmd/a/*.go", "cmd/b/*.go", "go.mod"}, locks: []string{"go.mod"},
		},
		{
			name: "with C and assembly", files: map[string]string{"go.mod": "module c", "main.go": "package main\n\nimport \"C\"\n\nfunc main() {}\n", "c.c": "", "c.h": "", "s/s.s": "", "s/s.go": library},
			product: "c", binary: "out/c", build: ".", inputs: []string{"*.c", "*.go", "*.h", "go.mod", "s/*.go", "s/*.s"}, locks: []string{"go.mod"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := tree(t, tt.files)
			p, err := scaffold.FromGoModule(dir, tt.main)
			if err != nil {
				t.Fatal(err)
			}
			got := load(t, dir, p)
			card := got.PipelineCard
			if got.Product != tt.product || !slices.Equal(got.Artifacts, []string{tt.binary, "out/modules.txt"}) {
				t.Errorf("product %s, artifacts %q", got.Product, got.Artifacts)
			}
			if !slices.Equal(card.Tools, []string{"go"}) || !slices.Equal(card.Locks, tt.locks) || len(card.Steps) != 3 {
				t.Errorf("tools %q, locks %q, %d steps", card.Tools, card.Locks, len(card.Steps))
			}
			build := card.Steps[0]
			if run := strings.Join(build.Run, " "); !strings.HasSuffix(run, "-o "+tt.binary+" "+tt.build) || !slices.Equal(build.Inputs, tt.inputs) {
				t.Errorf("runs %s\nfrom %q\nwant %q", run, build.Inputs, tt.inputs)
			}
			if cgo := tt.name == "with C and assembly"; cgo == (build.Env["CGO_ENABLED"] == "0") {
				t.Errorf("env %v", build.Env)
			}
		})
	}
}

func TestFromGoModuleEmbeds(t *testing.T) {
	dir := tree(t, map[string]string{"go.mod": "module m", "main.go": "package main\n\nimport _ \"embed\"\n\n//go:embed \"a b.txt\"\nvar s string\n\nfunc main() {}\n", "a b.txt": ""})
	p, err := scaffold.FromGoModule(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.PipelineCard()
	if want := "\n      # Add the files that \".\" embeds: \"a b.txt\"\n"; err != nil || !strings.Contains(string(data), want) {
		t.Errorf("%v\n%s", err, data)
	}
}

func TestFromGoModuleRefuses(t *testing.T) {
	for _, tt := range []struct {
		files            map[string]string
		main, want, hint string
	}{
		{nil, "", "go.mod: no such file", "go mod init makes one"},
		{map[string]string{"go.mod": "go 1.26\n"}, "", "go.mod: names no module", ""},
		{map[string]string{"go.mod": "module m", "x.go": library}, "", "no main package, so nothing to build", "leave --from-go-module out, and fill in what the release consists of"},
		{map[string]string{"go.mod": "module m", "cmd/a/a.go": command, "cmd/b/b.go": command}, "", "several main packages: ./cmd/a, ./cmd/b", "choose one: --main ./cmd/a"},
		{map[string]string{"go.mod": "module m", "cmd/a/a.go": command}, "cmd/c", "cmd/c is no main package", "there are: ./cmd/a"},
	} {
		_, err := scaffold.FromGoModule(tree(t, tt.files), tt.main)
		if err == nil || !strings.Contains(err.Error(), tt.want) || hint.Of(err) != tt.hint {
			t.Errorf("%v: %v, hint %q", tt.files, err, hint.Of(err))
		}
	}
	// A name that no card can have is a fault before anything is written.
	dir := tree(t, map[string]string{"go.mod": "module m", "main.go": command, "größe/x.go": library})
	p, err := scaffold.FromGoModule(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Files(); err == nil || !strings.Contains(err.Error(), "outside U+0020 to U+007E") {
		t.Error(err)
	}
}

func TestFromMakefile(t *testing.T) {
	for _, tt := range []struct{ file, text, target, test string }{
		{"Makefile", "build:\n\tcc -o x x.c\ntest: build\n\t./x\n", "build", "test"},
		{"makefile", "all: x\nx: x.c\n", "all", ""},
		{"GNUmakefile", "all build: x\n", "build", ""},
		{"Makefile", ".PHONY: all test\nall::\n\techo a: b\n", "all", ""},
		{"Makefile", "X := a\nY = http://build: x\nZ ?= test:\nall : x\n", "all", ""},
		{"Makefile", "build: CFLAGS += -g\nall: export A := b\nall: a \\\n  b\n", "all", ""},
		{"Makefile", "define build:\ntest:\nendef\nall: ; echo\n", "all", ""},
		{"Makefile", "# build: x\nall: # test:\n", "all", ""},
		{"Makefile", "a b \\\nbuild test: x\n", "build", "test"},
	} {
		dir := tree(t, map[string]string{tt.file: tt.text})
		p, err := scaffold.FromMakefile(dir, "demo")
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		card := load(t, dir, p).PipelineCard
		if run := card.Steps[0].Run; !slices.Equal(run, []string{"make", tt.target}) || !slices.Equal(card.Steps[0].Inputs, []string{tt.file}) || !slices.Equal(card.Tools, []string{"make"}) {
			t.Errorf("%q: runs %q from %q with %q", tt.text, run, card.Steps[0].Inputs, card.Tools)
		}
		switch {
		case tt.test == "" && len(card.Steps) == 1:
		case tt.test != "" && len(card.Steps) == 2 && slices.Equal(card.Steps[1].Run, []string{"make", "test"}) && slices.Equal(card.Steps[1].Needs, []string{"build"}):
		default:
			t.Errorf("%q: steps %+v", tt.text, card.Steps)
		}
	}
	for _, text := range []string{"", "install: x\n", "build = x\n", "\tbuild: x\n", "build: X = y\n", "%build: x\n"} {
		_, err := scaffold.FromMakefile(tree(t, map[string]string{"Makefile": text}), "demo")
		if err == nil || !strings.Contains(err.Error(), "Makefile: has neither a target build nor a target all") || hint.Of(err) == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := scaffold.FromMakefile(t.TempDir(), "demo"); !errors.Is(err, fs.ErrNotExist) || hint.Of(err) == "" {
		t.Error(err)
	}
}

// A file that exists is never changed, and stops everything but .gitignore.
func TestWrite(t *testing.T) {
	files, err := scaffold.Blank("demo").Files()
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"relseal.yaml", "cards/pipeline.yaml", "cards/params.yaml", "gates.yaml", "ci/promote.sh", ".gitignore"}

	dir := filepath.Join(t.TempDir(), "new", "project")
	w, err := scaffold.Write(dir, files)
	if err != nil || !slices.Equal(w.Files, all) || len(w.Kept) > 0 {
		t.Errorf("%+v, %v", w, err)
	}
	if _, err = scaffold.Write(dir, files); !errors.Is(err, fs.ErrExist) || strings.Count(err.Error(), "\n") != 4 {
		t.Errorf("again: %v", err)
	}

	dir = tree(t, map[string]string{".gitignore": "*.o\n  /dist/\n", "README": ""})
	w, err = scaffold.Write(dir, files)
	if err != nil || !slices.Equal(w.Files, all[:5]) || !slices.Equal(w.Kept, all[5:]) || !slices.Equal(w.Lines, []string{"/out/", "/.relseal/*", "!/.relseal/*.pub"}) {
		t.Errorf("%+v, %v", w, err)
	}

	dir = tree(t, map[string]string{"gates.yaml": "mine", "cards/params.yaml": "mine"})
	_, err = scaffold.Write(dir, files)
	want := filepath.Join(dir, "cards", "params.yaml") + ": file already exists\n" + filepath.Join(dir, "gates.yaml") + ": file already exists"
	if err == nil || err.Error() != want || hint.Of(err) == "" {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	same(t, dir, "cards", "cards/params.yaml", "gates.yaml")

	// What fails half-way leaves nothing behind.
	dir = tree(t, map[string]string{"cards": "a file"})
	if _, err = scaffold.Write(dir, files); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "cards")+": file already exists") {
		t.Error(err)
	}
	same(t, dir, "cards")
	if dir = tree(t, nil); os.Symlink("nowhere", filepath.Join(dir, "gates.yaml")) == nil {
		if _, err = scaffold.Write(dir, files); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a link that leads nowhere: %v", err)
		}
		same(t, dir, "gates.yaml")
	}
}

// same holds that a directory has these entries and no others.
func same(t *testing.T, dir string, want ...string) {
	t.Helper()
	var got []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, _ fs.DirEntry, err error) error {
		if name != "." {
			got = append(got, name)
		}
		return err
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

// A blank project is cut once a build command is filled in.
func TestBlankIsCut(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh, which the build step runs")
	}
	dir := t.TempDir()
	load(t, dir, scaffold.Blank("demo"))
	edit(t, filepath.Join(dir, "relseal.yaml"), "passphrase: prompt", "passphrase: none")
	request := cut.Request{Dir: dir, NewKey: true, Producer: "test", Keys: newRing(t, dir)}
	res, err := cut.Cut(context.Background(), request)
	if err != nil || res.Outcome != "failed" || res.Log == "" {
		t.Fatalf("before: %v, %v", res, err)
	}
	if log, err := os.ReadFile(res.Log); err != nil || !strings.Contains(string(log), "fill in the build command: step build of cards/pipeline.yaml") {
		t.Errorf("the log says %q, %v", log, err)
	}
	edit(t, filepath.Join(dir, "cards", "pipeline.yaml"), "echo 'fill in the build command: step build of cards/pipeline.yaml' >&2; exit 1", "echo demo >out/demo")
	request.NewKey, request.Force = false, true
	if res, err = cut.Cut(context.Background(), request); err != nil || res.Outcome != "ok" || res.Release == nil || !res.Release.Report.Valid {
		t.Fatalf("after: %v, %v", res, err)
	}
}

// A Go module is cut as it is described.
func TestGoModuleIsCut(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	dir := tree(t, map[string]string{
		"go.mod": "module example.test/Greeter/v2\n\ngo 1.26\n", "cmd/greetd/main.go": "package main\n\nimport \"example.test/Greeter/v2/internal/hello\"\n\nfunc main() { println(hello.Text) }\n",
		"internal/hello/hello.go": "package hello\n\nconst Text = \"hello\"\n", "internal/hello/hello_test.go": "package hello\n\nimport \"testing\"\n\nfunc TestText(*testing.T) {}\n",
	})
	p, err := scaffold.FromGoModule(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	load(t, dir, p)
	edit(t, filepath.Join(dir, "relseal.yaml"), "passphrase: prompt", "passphrase: none")
	res, err := cut.Cut(context.Background(), cut.Request{Dir: dir, NewKey: true, Producer: "test", Keys: newRing(t, dir)})
	if err != nil || res.Outcome != "ok" || res.Product != "greeter" {
		t.Fatalf("%+v, %v", res, err)
	}
	if list, err := os.ReadFile(filepath.Join(dir, "out", "modules.txt")); err != nil || !strings.Contains(string(list), "example.test/Greeter/v2/cmd/greetd") {
		t.Errorf("out/modules.txt says %q, %v", list, err)
	}
}

func edit(t *testing.T, file, old, new string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil || strings.Count(string(data), old) != 1 {
		t.Fatalf("%s: %v, no %q", file, err, old)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}
