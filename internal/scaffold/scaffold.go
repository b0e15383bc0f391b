// Package scaffold writes the files that a project starts from: relseal.yaml,
// the two cards, a gate policy, a job that promotes, and what git should ignore.
//
// What it writes has no faults, and says in comments what to fill in. A file
// that exists is never touched.
package scaffold

import (
	"bytes"
	"embed"
	"strconv"
	"strings"
	"sync"
	"text/template"

	"github.com/relseal/relseal/cards/cardfile"
	"github.com/relseal/relseal/gates/policyfile"
	"github.com/relseal/relseal/internal/lazyregexp"
)

// A Project is what the templates need to know.
type Project struct {
	Product   string
	Name      string   // of the file that is released
	Artifacts []string // what the release consists of
	Ignore    []string // lines for .gitignore, beside those that every project has

	pipeline string // its template
	goModule
	makefile
}

// Blank returns a project of which nothing is known but a name, such as that of
// its directory. Its build step fails until somebody fills in a command.
func Blank(name string) Project {
	product := productName(name)
	return Project{
		Product:   product,
		Name:      product,
		Artifacts: []string{"out/" + product},
		Ignore:    []string{"/out/"},
		pipeline:  "pipeline.yaml.tmpl",
	}
}

// A File is one file of a project: a slash path and what is in it.
type File struct {
	Path string
	Data []byte
	Keep bool // where there is one, it is the project's own and stays
}

// Files returns what a project starts from. The error holds the faults that the
// names of the project would put into its cards.
func (p Project) Files() ([]File, error) {
	pipeline, err := p.PipelineCard()
	if err != nil {
		return nil, err
	}
	params, err := p.ParamCard()
	if err != nil {
		return nil, err
	}
	policy := p.render("gates.yaml.tmpl")
	if _, err := policyfile.Parse("gates.yaml", policy); err != nil {
		return nil, err
	}
	return []File{
		{Path: "relseal.yaml", Data: p.render("relseal.yaml.tmpl")},
		{Path: "cards/pipeline.yaml", Data: pipeline},
		{Path: "cards/params.yaml", Data: params},
		{Path: "gates.yaml", Data: policy},
		{Path: "ci/promote.sh", Data: p.render("promote.sh.tmpl")},
		{Path: ".gitignore", Data: p.render("gitignore.tmpl"), Keep: true},
	}, nil
}

// PipelineCard returns a commented PipelineCard.
func (p Project) PipelineCard() ([]byte, error) {
	data := p.render(p.pipeline)
	_, err := cardfile.Pipeline("cards/pipeline.yaml", data)
	return data, err
}

// ParamCard returns a commented ParamCard without parameters.
func (p Project) ParamCard() ([]byte, error) {
	data := p.render("params.yaml.tmpl")
	_, err := cardfile.Params("cards/params.yaml", data)
	return data, err
}

//go:embed templates
var files embed.FS

var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"yaml": scalar, "flow": flow}).ParseFS(files, "templates/*.tmpl"))
})

func (p Project) render(name string) []byte {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, p); err != nil {
		panic("scaffold: " + err.Error()) // a template and a struct, both here
	}
	return b.Bytes()
}

// plain are paths that mean the same without quotes, in every version of YAML.
var plain = lazyregexp.New(`^[A-Za-z.][A-Za-z0-9_.-]*/[A-Za-z0-9_./-]*$|^go\.(mod|sum)$`)

// scalar returns s as YAML reads it back, whatever it is.
func scalar(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

func flow(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = scalar(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// productName makes of any text what relseal.yaml takes as a product.
func productName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r):
			return r
		default:
			return '-'
		}
	}, strings.ToLower(s))
	s = strings.TrimLeft(s, "._-")
	s = strings.TrimRight(s[:min(len(s), 64)], "._-")
	if s == "" {
		return "product"
	}
	return s
}
