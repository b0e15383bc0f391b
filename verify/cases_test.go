package verify_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/sign"
)

type M = testbundle.M

// A damage is one kind of bundle and what must be said of it.
type damage struct {
	name, title string
	files       testbundle.Files
	packed      []byte // instead of files: the bytes of the tar.zst
	keys        []string
	artifacts   string
	strict      bool
	newerThan   string
	exit        int
	err         string
	findings    []expected
	failing     [][2]int64
}

var (
	releaseKey = testbundle.NewKey("release")
	otherKey   = testbundle.NewKey("other")
)

const (
	runID      = "000102030405060708090a0b0c0d0e0f"
	otherRunID = "f0e0d0c0b0a090807060504030201000"
	trailPath  = "audit/trail.jsonl"
)

func demo() *testbundle.Run { return testbundle.Demo(releaseKey, runID) }

func (d damage) trusted(t testing.TB) sign.Verifiers {
	var list []sign.PublicKey
	for _, name := range d.keyNames() {
		pem, ok := publicKeys[name]
		if !ok {
			t.Fatalf("no key %s", name)
		}
		key, err := keys.ParsePublic(pem)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, key)
	}
	return keys.NewTrusted(list...)
}

func (d damage) keyNames() []string {
	if d.keys == nil {
		return []string{"release"}
	}
	return d.keys
}

// publicKeys are the keys of the vectors; the weak one is the identity.
var publicKeys = map[string][]byte{
	"release": releaseKey.PEM(),
	"other":   otherKey.PEM(),
	"weak":    []byte("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n"),
}

func (d damage) verdict() string { return []string{"VERIFIED", "UNDECIDABLE", "REJECT"}[d.exit] }

func at(code, verdict, path string, k ...int64) expected {
	e := expected{Code: code, Verdict: verdict, Path: path}
	if len(k) > 0 {
		e.K = &k[0]
	}
	return e
}

func rejects(code, path string, k ...int64) []expected {
	return []expected{at(code, "REJECT", path, k...)}
}

func events(k ...int64) [][2]int64 {
	var out [][2]int64
	for _, n := range k {
		out = append(out, [2]int64{n, n})
	}
	return out
}

// lines applies edit to the lines of a bundle's trail.
func lines(f testbundle.Files, edit func([]string) []string) testbundle.Files {
	out := f.Clone()
	all := strings.SplitAfter(string(f[trailPath]), "\n")
	out[trailPath] = []byte(strings.Join(edit(all[:len(all)-1]), ""))
	return out
}

// set returns f with one file replaced, or removed if data is nil.
func set(f testbundle.Files, path string, data []byte) testbundle.Files {
	out := f.Clone()
	if out[path] = data; data == nil {
		delete(out, path)
	}
	return out
}

func replace(f testbundle.Files, path, old, new string) testbundle.Files {
	if !bytes.Contains(f[path], []byte(old)) {
		panic(path + " does not contain " + old)
	}
	return set(f, path, bytes.Replace(f[path], []byte(old), []byte(new), 1))
}

func writeVectors(t *testing.T) {
	write := func(name string, data []byte) {
		file := filepath.Join(vectorDir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, _ := filepath.Glob(vectorDir + "/*.json")
	for _, name := range old {
		os.Remove(name)
		os.Remove(strings.TrimSuffix(name, ".json") + ".tar.zst")
	}
	for name, pem := range publicKeys {
		write("keys/"+name+".pub", pem)
	}
	write("artifacts/out/demo", []byte("a small artifact\n"))
	for _, d := range cases() {
		v := vector{Schema: "relseal/vector/v1", Title: d.title, Bundle: d.name + ".tar.zst", Artifacts: d.artifacts, Strict: d.strict, NewerThan: d.newerThan,
			Expect: expect{Exit: d.exit, Verdict: d.verdict(), Error: d.err, Findings: d.findings, Failing: d.failing}}
		if v.Expect.Findings == nil {
			v.Expect.Findings = []expected{}
		}
		if d.err != "" {
			v.Expect.Verdict = ""
		}
		for _, k := range d.keyNames() {
			v.Keys = append(v.Keys, "keys/"+k+".pub")
		}
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		write(d.name+".json", append(data, '\n'))
		if d.packed == nil {
			d.packed = testbundle.Zstd(d.files.Tar())
		}
		write(d.name+".tar.zst", d.packed)
	}
}
