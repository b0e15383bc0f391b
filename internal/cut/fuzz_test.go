package cut

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/relseal/relseal/internal/yamldoc"
)

// FuzzConfig: what relseal.yaml says does not depend on how it is spelled. Its
// canonical form, read again, is the same project, and paths stay below it.
func FuzzConfig(f *testing.F) {
	seeds, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range append(seeds, "../../examples/quickstart/relseal.yaml") {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	read := func(data []byte) (Config, error) {
		doc := yamldoc.Open(ConfigName, data)
		root := doc.Root()
		if !root.Schema(ConfigSchema) {
			return Config{}, doc.Err()
		}
		c := parseConfig(doc, root)
		return c, doc.Finish()
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := read(data)
		if err != nil {
			return
		}
		canonical, err := yamldoc.Canonical(ConfigName, data)
		if err != nil {
			t.Fatalf("read, and has no canonical form: %v", err)
		}
		// Canonical JSON is YAML too, but for characters that YAML escapes.
		if _, err := yamldoc.Canonical(ConfigName, canonical); err == nil {
			if again, err := read(canonical); err != nil || !reflect.DeepEqual(again, c) {
				t.Errorf("%+v\nread again from %s: %+v, %v", c, canonical, again, err)
			}
		}
		for _, p := range append([]string{c.Pipeline, c.Params, c.Output}, c.Artifacts...) {
			if p != "" && !filepath.IsLocal(filepath.FromSlash(p)) {
				t.Errorf("%q is not below the project", p)
			}
		}
	})
}
