package canon_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/sign"
)

// A row of testdata/json/index.jsonl, and one of decisions.jsonl.
type (
	vector struct {
		File   string          `json:"file"`
		Bytes  int             `json:"bytes"`
		Expect string          `json:"expect"` // accept, reject or policy
		Class  string          `json:"cls"`
		Why    string          `json:"why"`
		Value  json.RawMessage `json:"value"`
		JCS    string          `json:"jcs"`
	}
	decision struct {
		File string `json:"file"`
		Want string `json:"want"`
		Why  string `json:"why"`
	}
)

// acceptDoc reads data as the document that the vector's file name announces.
func acceptDoc(name string, data []byte) error {
	type seq struct {
		Seq int64 `json:"seq"`
	}
	type sig struct {
		Sig sign.Signature `json:"sig"`
	}
	family, _, _ := strings.Cut(name, "-")
	switch {
	case name == "empty-sig.json":
		return canon.Unmarshal(data, &struct {
			seq
			sig
		}{})
	case family == "b64":
		return canon.Unmarshal(data, &sig{})
	case family == "hash", family == "hex":
		return canon.Unmarshal(data, &struct {
			Hash sign.Digest `json:"hash"`
		}{})
	default:
		var v seq
		err := canon.Unmarshal(data, &v)
		if err == nil && v.Seq < 0 { // what a range means is for each format to say
			err = canon.ErrNotCanonical
		}
		return err
	}
}

func TestJSONVectors(t *testing.T) {
	const dir = "../testdata/json"
	decided := map[string]string{}
	for _, d := range rows[decision](t, dir, "decisions.jsonl") {
		decided[d.File] = d.Want
	}
	files := map[string]bool{}
	for _, row := range rows[vector](t, dir, "index.jsonl") {
		files[row.File] = true
		t.Run(strings.TrimSuffix(row.File, ".json"), func(t *testing.T) {
			in := read(t, dir, row.File)
			if len(in) != row.Bytes {
				t.Fatalf("%d bytes, want %d: was the file changed?", len(in), row.Bytes)
			}
			want := row.Expect
			if d, ok := decided[row.File]; ok {
				want = d
				delete(decided, row.File)
			}
			typed := slices.Contains([]string{"schema", "casefold", "hex", "base64", "downgrade", "shape"}, row.Class) || strings.HasPrefix(row.File, "seq-")
			var out []byte
			var err error
			if typed {
				err = acceptDoc(row.File, in)
			} else {
				out, err = canon.Canonicalize(in)
			}
			if want != "accept" && want != "reject" {
				t.Fatalf("no decision: %q", want)
			}
			if (err == nil) != (want == "accept") {
				t.Fatalf("%s, got %v", want, err)
			}
			if err != nil {
				readable(t, err)
			} else if row.Value != nil && row.JCS == "" {
				becomes(t, row.Value, out)
			}
		})
	}
	if len(decided) > 0 {
		t.Errorf("decisions without a row: %v", decided)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".json" && !files[entry.Name()] {
			t.Errorf("%s is not in the index", entry.Name())
		}
	}
}

// The schemas of the vectors accept a good document, so that a refusal means something.
func TestJSONVectorSchemas(t *testing.T) {
	sig := strings.Repeat("A", 86) + "=="
	for name, in := range map[string]string{
		"seq-.json":      `{"seq":9007199254740991}`,
		"b64-.json":      `{"sig":"` + sig + `"}`,
		"hash-.json":     `{"hash":"` + zeroHash + `"}`,
		"empty-sig.json": `{"seq":1,"sig":"` + sig + `"}`,
	} {
		if err := acceptDoc(name, []byte(in)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
