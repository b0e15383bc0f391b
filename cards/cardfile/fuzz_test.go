package cardfile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
)

// What parses marshals, and what it marshals to reads back to the same bytes.
func FuzzPipeline(f *testing.F) {
	f.Add([]byte(goodPipeline), []byte(goodPipelineJSON))
	f.Add([]byte(strings.ReplaceAll(goodPipeline, "out/", "")), []byte(`{}`))
	f.Add([]byte(goodPipeline+"weights: {env: 2}\n"), []byte(strings.TrimSuffix(goodPipelineJSON, "}")+`,"weights":{"env":"2"}}`))
	f.Fuzz(func(t *testing.T, yaml, data []byte) {
		if p, err := Pipeline("f", yaml); err == nil {
			out, err := p.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			checkPipeline(t, out)
		}
		if _, err := cards.ReadPipeline(data); err == nil {
			checkPipeline(t, data)
		}
	})
}

func checkPipeline(t *testing.T, data []byte) {
	p, err := cards.ReadPipeline(data)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := p.Marshal(); err != nil || !bytes.Equal(data, again) {
		t.Fatalf("%s\nmarshals as %s, %v", data, again, err)
	}
	steps, err := p.Order()
	if err != nil || len(steps) != len(p.Steps) {
		t.Fatalf("%s\nhas no order: %v", data, err)
	}
}

func FuzzParams(f *testing.F) {
	f.Add([]byte(goodParams), []byte(goodParamsJSON))
	f.Fuzz(func(t *testing.T, yaml, data []byte) {
		if p, err := Params("f", yaml); err == nil {
			if _, err := p.Marshal(); err != nil {
				t.Fatal(err)
			}
		}
		if p, err := cards.ReadParams(data); err == nil {
			if again, err := p.Marshal(); err != nil || !bytes.Equal(data, again) {
				t.Fatalf("%s\nmarshals as %s, %v", data, again, err)
			}
		}
	})
}

// Each byte of a canonical card changed, and every prefix of it: what is still
// accepted is another card in canonical form, never the same one.
func TestMutations(t *testing.T) {
	weighted := strings.TrimSuffix(goodPipelineJSON, "}") + `,"weights":{"env":"0.5"}}`
	for _, good := range []string{goodPipelineJSON, goodParamsJSON, weighted} {
		read := func(data []byte) error {
			if good != goodParamsJSON {
				_, err := cards.ReadPipeline(data)
				return err
			}
			_, err := cards.ReadParams(data)
			return err
		}
		for i := range good {
			if read([]byte(good[:i])) == nil {
				t.Errorf("a prefix of %d bytes is accepted", i)
			}
			for _, c := range []byte{good[i] ^ 1, good[i] ^ 0x20, good[i] ^ 0x80, ' ', 0} {
				data := []byte(good)
				data[i] = c
				if read(data) == nil && canon.Check(data) != nil {
					t.Errorf("%s is accepted", data)
				}
			}
		}
	}
}

// The YAML vectors of class schema are about members that no schema knows: read
// as cards they are refused, each with the member named.
func TestSchemaVectors(t *testing.T) {
	const dir = "../../testdata/yaml"
	index, err := os.ReadFile(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(index)) {
		var row struct{ File, Expect, Cls string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, row.File))
		if err != nil {
			t.Fatal(err)
		}
		// No vector is a card: none may get through, whatever it says.
		if _, err := Pipeline(row.File, data); err == nil {
			t.Errorf("%s is a pipeline", row.File)
		}
		if row.Cls != "schema" {
			continue
		}
		seen++
		text := strings.Replace(string(data), "card/v1", cards.PipelineSchema, 1)
		if !strings.Contains(text, cards.PipelineSchema) {
			text = "schema: " + cards.PipelineSchema + "\n" + text
		}
		_, err = Pipeline(row.File, []byte(text))
		member := map[string]string{"unknown-field.yaml": "stepz: unknown member", "homoglyph-field.yaml": `["n\u0430me"]`, "zwsp-field.yaml": `["name\u200b"]`}[row.File]
		if err == nil || member == "" || !strings.Contains(err.Error(), member) {
			t.Errorf("%s: %v", row.File, err)
		}
	}
	if seen != 3 {
		t.Errorf("%d vectors of class schema", seen)
	}
}
