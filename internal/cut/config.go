// Package cut is the main job: from a project's relseal.yaml to verified bundles.
package cut

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/cards/cardfile"
	"github.com/relseal/relseal/envlock/capture"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/gates/policyfile"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/internal/yamldoc"
	"github.com/relseal/relseal/run"
)

// ConfigName is the file that drives a cut.
const ConfigName = "relseal.yaml"

// ConfigSchema names its format.
const ConfigSchema = "relseal/config/v1"

// VersionFromTag is the version that stands for the git tag of the commit.
const VersionFromTag = "git-tag"

// Config is relseal.yaml. Paths are relative to its directory and stay below it.
type Config struct {
	Product    string
	Version    string // semantic, or VersionFromTag
	Pipeline   string
	Params     string
	Gates      string // "" if there is no policy
	Artifacts  []string
	KeyFile    string
	Passphrase string // prompt, none, env:NAME or file:PATH
	Dirty      string // refuse or record
	Output     string
	Known      []string // what knows the product's ledger: paths, or k:H_k; nil for the bundles in Output
}

// A Project is everything that people wrote for a cut, read and checked.
type Project struct {
	Config
	Dir          string
	PipelineCard cards.Pipeline
	ParamCard    cards.Params
	Policy       *gates.Policy
}

// ReadConfig reads relseal.yaml in dir, and nothing that it names.
func ReadConfig(dir string) (Config, error) {
	data, err := readDocument(dir, ConfigName)
	if err != nil {
		return Config{}, err
	}
	doc := yamldoc.Open(filepath.Join(dir, ConfigName), data)
	root := doc.Root()
	if !root.Schema(ConfigSchema) {
		return Config{}, doc.Err()
	}
	c := parseConfig(doc, root)
	return c, doc.Finish()
}

// Load reads relseal.yaml in dir and the cards and the policy that it names. The
// error holds every fault of all four files, also where one of them is missing.
func Load(dir string) (Project, error) {
	p := Project{Dir: dir}
	data, err := readDocument(dir, ConfigName)
	if err != nil {
		if info, e := os.Stat(dir); e == nil && !info.IsDir() {
			return p, hint.With(fmt.Errorf("%s: is no directory", dir), "name the directory that "+ConfigName+" is in, such as "+filepath.Dir(dir))
		}
		return p, hint.With(err, "a project has a "+ConfigName+"; relseal init DIR makes one")
	}
	doc := yamldoc.Open(p.file(ConfigName), data)
	root := doc.Root()
	if !root.Schema(ConfigSchema) {
		return p, doc.Err()
	}
	p.Config = parseConfig(doc, root)
	faults := errors.Join(
		p.load("pipeline", p.Pipeline, func(file string, data []byte) (err error) {
			p.PipelineCard, err = cardfile.Pipeline(file, data)
			return err
		}),
		p.load("params", p.Params, func(file string, data []byte) (err error) {
			p.ParamCard, err = cardfile.Params(file, data)
			return err
		}),
		p.load("gates", p.Gates, func(file string, data []byte) error {
			policy, err := policyfile.Parse(file, data)
			p.Policy = &policy
			return err
		}),
	)
	p.checkArtifacts(doc.Report)
	return p, errors.Join(doc.Finish(), faults)
}

func (p *Project) file(name string) string { return filepath.Join(p.Dir, filepath.FromSlash(name)) }

// load parses the document that a member of relseal.yaml names.
func (p *Project) load(member, name string, parse func(string, []byte) error) error {
	if name == "" || !below(name) {
		return nil // left out, or reported
	}
	data, err := readDocument(p.Dir, name)
	if err != nil {
		return fmt.Errorf("%w (%s names it as its %s)", err, ConfigName, member)
	}
	return parse(p.file(name), data)
}

func readDocument(dir, name string) ([]byte, error) {
	file := filepath.Join(dir, filepath.FromSlash(name))
	return regular.ReadFile(file, limits.Document)
}

var (
	productName = lazyregexp.New(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	knownHead   = lazyregexp.New(`^[0-9]+:sha256:[0-9a-f]{64}$`)
	secretRef   = lazyregexp.New(`^(prompt|none|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$`)
)

// parseConfig reads the members; what is wrong with them is in doc.
func parseConfig(doc *yamldoc.Document, root *yamldoc.Mapping) Config {
	opt, key := root.Optional(), root.Map("key")
	c := Config{
		Product:    root.Text("product"),
		Version:    root.Text("version"),
		Pipeline:   root.Text("pipeline"),
		Params:     root.Text("params"),
		Gates:      opt.Text("gates"),
		Artifacts:  root.Texts("artifacts"),
		KeyFile:    key.Text("file"),
		Passphrase: cmp.Or(key.Optional().Text("passphrase"), "prompt"),
		Dirty:      cmp.Or(opt.Map("source").Optional().Enum("dirty", "refuse", "record"), "refuse"),
		Output:     cmp.Or(opt.Text("output"), "dist"),
		Known:      opt.Texts("known"),
	}
	if c.Product != "" && !productName.MatchString(c.Product) {
		doc.Report(document.At("product"), document.Quote(c.Product)+" is not 1 to 64 of a-z 0-9 . _ - beginning with a letter or digit", "")
	}
	if c.Version != "" && c.Version != VersionFromTag && bundle.CheckVersion(c.Version) != nil {
		doc.Report(document.At("version"), document.Quote(c.Version)+" is neither a semantic version nor "+VersionFromTag, `write "1.0.0", without v`)
	}
	if !secretRef.MatchString(c.Passphrase) {
		doc.Report(document.At("key", "passphrase"), "is no source of a passphrase", "write prompt, env:NAME, file:PATH or none") // not quoted: it may be the passphrase itself
	}
	c.checkPaths(doc.Report)
	return c
}

func (c Config) checkPaths(report document.Reporter) {
	check := func(p string, at ...any) {
		if p != "" && !below(p) {
			report(document.At(at...), document.Quote(p)+" leaves the project", "paths are relative to "+ConfigName+", written with /, and stay below its directory")
		}
	}
	check(c.Pipeline, "pipeline")
	check(c.Params, "params")
	check(c.Gates, "gates")
	check(c.KeyFile, "key", "file")
	check(c.Output, "output")
	for i, a := range c.Artifacts {
		check(a, "artifacts", i)
	}
	for i, k := range c.Known {
		if !knownHead.MatchString(k) {
			check(k, "known", i)
		}
	}
}

func below(p string) bool {
	return !path.IsAbs(p) && !strings.Contains(p, `\`) && filepath.IsLocal(filepath.FromSlash(p))
}

// checkArtifacts asks that a release has artifacts and that a step makes each:
// what nothing makes would be a file of unknown origin.
func (p *Project) checkArtifacts(report document.Reporter) {
	if len(p.Artifacts) == 0 {
		report(document.At("artifacts"), "is empty", "name what people will install or read")
	}
	var made []string
	for _, s := range p.PipelineCard.Steps {
		made = append(made, s.AllOutputs()...)
	}
	for i, a := range p.Artifacts {
		if len(p.PipelineCard.Steps) > 0 && below(a) && !slices.Contains(made, a) {
			report(document.At("artifacts", i), "no step has the output "+document.Quote(a), document.Suggest(a, made))
		}
	}
}

// environment is what the PipelineCard asks to be captured.
func (c *cut) environment() capture.Request {
	r := run.Environment(c.p.PipelineCard)
	r.Dir, r.AllowSecrets = c.p.Dir, c.AllowSecrets
	return r
}
