package docs

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/testbundle"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/verify"
)

// A vector is what a file of testdata/vectors says; the README lists its members.
type vector struct {
	Name string `json:"-"`

	Schema    string   `json:"schema"`
	Title     string   `json:"title"`
	Bundle    string   `json:"bundle"`
	Keys      []string `json:"keys"`
	Artifacts string   `json:"artifacts,omitempty"`
	Strict    bool     `json:"strict,omitempty"`
	NewerThan string   `json:"newer_than,omitempty"`
	Expect    struct {
		Exit     int    `json:"exit"`
		Verdict  string `json:"verdict,omitempty"`
		Error    string `json:"error,omitempty"`
		Findings []struct {
			Code    string `json:"code"`
			Verdict string `json:"verdict"`
			Path    string `json:"path,omitempty"`
			K       *int64 `json:"k,omitempty"`

			Proves *finding.Proof `json:"proves,omitempty"`
		} `json:"findings"`
		Failing [][2]int64 `json:"failing_events,omitempty"`
	} `json:"expect"`
}

// vectors reads all vectors, sorted by name.
func vectors(t *testing.T) []vector {
	t.Helper()
	files, err := filepath.Glob(vectorDir + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	var all []vector
	for _, file := range files {
		d := json.NewDecoder(strings.NewReader(read(t, file)))
		d.DisallowUnknownFields()
		v := vector{Name: strings.TrimSuffix(filepath.Base(file), ".json")}
		if err := d.Decode(&v); err != nil || v.Schema != "relseal/vector/v1" {
			t.Fatalf("%s: schema %q, %v", file, v.Schema, err)
		}
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b vector) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// options returns what relseal's own verifier is given.
func (v vector) options(t *testing.T) verify.Options {
	t.Helper()
	o := verify.Options{Strict: v.Strict, Expect: verify.Expect{NewerThan: v.NewerThan}}
	var names []string
	for _, k := range v.Keys {
		names = append(names, filepath.Join(vectorDir, k))
	}
	trusted, err := keys.LoadTrusted(names)
	if err != nil {
		t.Fatal(err)
	}
	o.Keys = trusted
	if v.Artifacts != "" {
		if o.Artifacts, err = verify.Dir(filepath.Join(vectorDir, v.Artifacts)); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// second returns the second verifier with the keys and artifacts of a vector.
func (v vector) second(t *testing.T) *second {
	t.Helper()
	s := newSecond(t)
	for _, name := range v.Keys {
		block, _ := pem.Decode([]byte(read(t, filepath.Join(vectorDir, name))))
		if block == nil {
			t.Fatalf("%s is no PEM", name)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		s.trust(key.(ed25519.PublicKey))
	}
	if v.Artifacts != "" {
		err := fs.WalkDir(os.DirFS(filepath.Join(vectorDir, v.Artifacts)), ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				s.have[digest([]byte(read(t, filepath.Join(vectorDir, v.Artifacts, path))))] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// newSecond returns a second verifier that trusts nobody.
func newSecond(t *testing.T) *second {
	t.Helper()
	s := &second{form: form{shapes(t), isLeaf}, roles: map[string]string{}, keys: map[string]ed25519.PublicKey{}, have: map[string]bool{}, page: read(t, formatPage)}
	for _, row := range rowsOf(t, "Files", "path,role,in,required") {
		path := strings.TrimSuffix(spans(row[0])[0], "…")
		for kind, in := range map[string]string{"audit": "AuditBundle", "release": "ReleaseBundle"} {
			if row[2] == in || row[2] == "both" {
				s.roles[kind+" "+path] = spans(row[1])[0]
			}
		}
	}
	return s
}

func (s *second) trust(key ed25519.PublicKey) { s.keys[keyID(key)] = key }

// ranges returns the failing events as a vector lists them.
func (s *second) ranges() [][2]int64 {
	var out [][2]int64
	for k := int64(1); len(s.failing) > 0; k++ {
		switch {
		case !s.failing[k]:
			continue
		case len(out) > 0 && out[len(out)-1][1] == k-1:
			out[len(out)-1][1] = k
		default:
			out = append(out, [2]int64{k, k})
		}
		delete(s.failing, k)
	}
	return out
}

// answers compares what the second verifier says of a bundle with what a vector
// expects.
func (s *second) answers(t *testing.T, v vector) {
	t.Helper()
	want := []string{}
	for _, f := range v.Expect.Findings {
		want = append(want, f.Code+" "+f.Verdict)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	failing := s.ranges()
	if s.verdict() != v.Expect.Verdict || !slices.Equal(s.codes(), want) || fmt.Sprint(failing) != fmt.Sprint(v.Expect.Failing) {
		t.Errorf("%s: %s with %q and failing events %v, want %s with %q and %v", v.Name, s.verdict(), s.findings, failing, v.Expect.Verdict, want, v.Expect.Failing)
	}
}

// The second verifier answers every vector as the vector expects. Three things it
// does not decide: keys are checked before there is a bundle, and what is strict
// or newer is a matter of the caller.
func TestSecondVerifier(t *testing.T) {
	decided := 0
	for _, v := range vectors(t) {
		if v.Expect.Error != "" || v.Strict || v.NewerThan != "" {
			continue
		}
		decided++
		s := v.second(t)
		s.bundle([]byte(read(t, filepath.Join(vectorDir, v.Bundle))))
		s.answers(t, v)
	}
	if decided < 140 {
		t.Errorf("only %d vectors were decided", decided)
	}
}

// The README of the vectors lists the members of a vector, the keys, and every
// vector with title and verdict.
func TestVectorPage(t *testing.T) {
	page := read(t, vectorPage)
	var members []string
	for _, tab := range tables(page) {
		if tab.header == "member,value" {
			for _, row := range tab.rows {
				for _, span := range spans(row[0]) {
					members = append(members, expand(span)...)
				}
			}
		}
	}
	want := slices.Collect(vectorMembers(reflect.TypeFor[vector](), ""))
	slices.Sort(members)
	slices.Sort(want)
	if !slices.Equal(members, want) {
		t.Errorf("the README lists the members %q; a vector has %q", members, want)
	}
	var list strings.Builder
	list.WriteString("| vector | what it is | answer |\n|---|---|---|\n")
	for _, v := range vectors(t) {
		answer := v.Expect.Verdict
		if v.Expect.Error != "" {
			answer = "refused: " + v.Expect.Error
		}
		fmt.Fprintf(&list, "| `%s` | %s | %s |\n", v.Name, v.Title, answer)
	}
	generated(t, vectorPage, "vectors", list.String())

	var ids strings.Builder
	ids.WriteString("| key | id | made of |\n|---|---|---|\n")
	for _, name := range []string{"other", "release"} {
		key := testbundle.NewKey(name)
		if !bytes.Equal(key.PEM(), []byte(read(t, filepath.Join(vectorDir, "keys", name+".pub")))) {
			t.Errorf("keys/%s.pub is not the key of that name", name)
		}
		fmt.Fprintf(&ids, "| `keys/%s.pub` | `%s` | SHA-256 of `relseal test key %s` as the seed of RFC 8032 |\n", name, key.ID(), name)
	}
	ids.WriteString("| `keys/weak.pub` | none | the identity: a point for which anybody can sign |\n")
	generated(t, vectorPage, "keys", ids.String())
}

// vectorMembers yields the paths of what a type has in JSON.
func vectorMembers(typ reflect.Type, path string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			in := f.Type
			if in.Kind() == reflect.Pointer {
				in = in.Elem()
			}
			if in.Kind() == reflect.Slice && in.Elem().Kind() == reflect.Struct {
				in, name = in.Elem(), name+"[]"
			}
			switch {
			case name == "-":
			case in.Kind() == reflect.Struct:
				vectorMembers(in, path+name+".")(yield)
			default:
				yield(path + name)
			}
		}
	}
}
