package yamldoc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/yamldoc"
)

const vectors = "../../testdata/yaml"

// readRows decodes a file of JSON lines strictly: an unknown member in a vector
// is a fact that nobody checks.
func readRows[T any](t *testing.T, name string) []T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(vectors, name))
	if err != nil {
		t.Fatal(err)
	}
	var rows []T
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	for dec.More() {
		var row T
		if err := dec.Decode(&row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

type vector struct {
	File   string          `json:"file"`
	Bytes  int             `json:"bytes"`
	Expect string          `json:"expect"`
	Class  string          `json:"cls"`
	Why    string          `json:"why"`
	Value  json.RawMessage `json:"value"`
}

type decision struct {
	File  string          `json:"file"`
	Want  string          `json:"want"`
	Why   string          `json:"why"`
	Value json.RawMessage `json:"value"`
}

// What only a reader of a schema can refuse; package cards does.
var needsSchema = map[string]bool{"unknown-field.yaml": true}

func TestConformance(t *testing.T) {
	decisions := map[string]decision{}
	for _, d := range readRows[decision](t, "decisions.jsonl") {
		decisions[d.File] = d
	}
	index := readRows[vector](t, "index.jsonl")
	files, err := filepath.Glob(filepath.Join(vectors, "*.yaml"))
	if err != nil || len(files) != len(index) || len(index) == 0 {
		t.Fatalf("%d files, %d rows, %v", len(files), len(index), err)
	}
	for _, v := range index {
		t.Run(v.File, func(t *testing.T) {
			want, value := v.Expect, v.Value
			if want == "policy" {
				d, ok := decisions[v.File]
				if !ok {
					t.Fatal("decisions.jsonl does not say what to do")
				}
				want, value = d.Want, d.Value
				delete(decisions, v.File)
			}
			if needsSchema[v.File] {
				want, value = "accept", nil
			}
			data, err := os.ReadFile(filepath.Join(vectors, v.File))
			if err != nil || len(data) != v.Bytes {
				t.Fatalf("%d bytes, want %d; %v", len(data), v.Bytes, err)
			}
			got, err := yamldoc.Canonical(v.File, data)
			switch want {
			case "accept":
				if err != nil {
					t.Fatalf("refused: %v (%s)", err, v.Why)
				}
				if value == nil {
					return
				}
				if want, err := canon.Canonicalize(value); err != nil || !bytes.Equal(got, want) {
					t.Errorf("got %s, want %s, %v", got, want, err)
				}
			case "reject":
				if err == nil {
					t.Fatalf("accepted as %s: %s", got, v.Why)
				}
				checkFaults(t, v.File, err)
			default:
				t.Fatalf("unknown outcome %q", want)
			}
		})
	}
	for file := range decisions {
		t.Errorf("a decision about %s, which the index does not leave open", file)
	}
}

// checkFaults asks that err is faults that say where and what.
func checkFaults(t *testing.T, file string, err error) {
	t.Helper()
	var faults document.Faults
	if !errors.As(err, &faults) || len(faults) == 0 {
		t.Fatalf("%T is no Faults", err)
	}
	for _, f := range faults {
		if f.File != file || f.Text == "" || !showable(f.String()) {
			t.Errorf("%+q", f)
		}
	}
}

// showable reports whether s can be printed on any terminal; ± is
// the only character above ASCII in what a fault says by itself.
func showable(s string) bool {
	return canon.Printable(string(bytes.ReplaceAll([]byte(s), []byte("±"), nil)))
}
