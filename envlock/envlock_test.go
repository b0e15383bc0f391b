package envlock

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

func text(s string) *string { return &s }

// sample has every kind of member: text and null, several facts and none.
func sample() Lock {
	return Lock{
		Schema: Schema,
		Env: Components{
			OS:        Component{"id": text("debian"), "version_id": text("12")},
			Kernel:    Component{"release": text("6.1.0")},
			Compilers: Component{"go.version": text("go version go1.26.0 linux/amd64")},
			Firmware:  Component{"bios_version": nil},
			HW:        Component{"cpu_model": text("Größe µ")},
		},
		Locks:     []LockFile{{"go.sum", sign.Sum([]byte("sum"))}, {"web/package-lock.json", sign.Sum(nil)}},
		Variables: map[string]*string{"CC": nil, "CGO_ENABLED": text("0")},
	}
}

func canonical(t testing.TB, l Lock) []byte {
	t.Helper()
	data, err := l.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const empty = `{"env":{"backend":{},"compilers":{},"containers":{},"drivers":{},"firmware":{},"hw":{},"kernel":{},"libc":{},"options":{},"os":{},"runtimes":{}},"locks":[],"schema":"relseal/envlock/v1","variables":{}}`

func TestParse(t *testing.T) {
	for _, l := range []Lock{sample(), {Schema: Schema}} {
		data := canonical(t, l)
		got, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(canonical(t, got), data) || len(Diff(l, got)) > 0 {
			t.Errorf("read back as %s, want %s", canonical(t, got), data)
		}
		fp, err := got.Fingerprint()
		if err != nil || fp != sign.Sum(data) || fp != Fingerprint(data) {
			t.Errorf("fingerprint %v, %v, want %v", fp, err, sign.Sum(data))
		}
	}
	if got := canonical(t, Lock{Schema: Schema}); string(got) != empty {
		t.Errorf("the empty EnvLock is %s, want %s", got, empty)
	}
}

// The bytes of version 1 stay as they are: a fingerprint that was signed once
// must be found again.
func TestReleasedBytes(t *testing.T) {
	const want = "sha256:0eddd9a420d41afea9e21535f7de0f5dd2f1fe094cdbc73c41d02ad9c806825a"
	if got := Fingerprint(canonical(t, sample())); got.String() != want {
		t.Errorf("fingerprint of the sample is %v, want %v", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	digest := sign.Sum(nil).String()
	edit := func(old, new string) string {
		if !strings.Contains(empty, old) {
			t.Fatalf("%q is not in the document", old)
		}
		return strings.Replace(empty, old, new, 1)
	}
	locks := func(paths ...string) string {
		var list []string
		for _, p := range paths {
			list = append(list, fmt.Sprintf(`{"hash":%q,"path":%s}`, digest, p))
		}
		return edit(`"locks":[]`, `"locks":[`+strings.Join(list, ",")+`]`)
	}
	tests := []struct {
		name, data, want string
	}{
		{"nothing", "", ""},
		{"not an object", "[]", ""},
		{"null", "null", ""},
		{"no schema", "{}", "no schema"},
		{"another schema", `{"new":1,"schema":"relseal/envlock/v2"}`, `schema is "relseal/envlock/v2"`},
		{"a schema that is no text", `{"schema":1}`, "no text"},
		{"schema alone", `{"schema":"relseal/envlock/v1"}`, ""},
		{"schema in capitals", edit(`"schema"`, `"Schema"`), ""},
		{"white space", edit(`"os":{}`, `"os": {}`), ""},
		{"line feed at the end", empty + "\n", ""},
		{"more than one value", empty + empty, ""},
		{"other order", edit(`"os":{},"runtimes":{}`, `"runtimes":{},"os":{}`), ""},
		{"component missing", edit(`"libc":{},`, ""), ""},
		{"component of a later version", edit(`"os":{},`, `"network":{},"os":{},`), ""},
		{"component null", edit(`"os":{}`, `"os":null`), ""},
		{"component a list", edit(`"os":{}`, `"os":[]`), ""},
		{"fact twice", edit(`"os":{}`, `"os":{"id":"a","id":"b"}`), ""},
		{"fact a number", edit(`"os":{}`, `"os":{"id":1}`), ""},
		{"fact an object", edit(`"os":{}`, `"os":{"id":{}}`), ""},
		{"fact without a name", edit(`"os":{}`, `"os":{"":"x"}`), "without a name"},
		{"fact with a control character in its name", edit(`"os":{}`, `"os":{"i\u0001":"x"}`), ""},
		{"fact with another script in its name", edit(`"os":{}`, `"os":{"é":"x"}`), ""},
		{"fact of invalid UTF-8", edit(`"os":{}`, "\"os\":{\"id\":\"\xff\"}"), ""},
		{"fact too long", edit(`"os":{}`, `"os":{"id":"`+strings.Repeat("x", limits.JSONString+1)+`"}`), ""},
		{"locks null", edit(`"locks":[]`, `"locks":null`), ""},
		{"lock twice", locks(`"a"`, `"a"`), "there twice"},
		{"locks out of order", locks(`"b"`, `"a"`), "not in order"},
		{"lock absolute", locks(`"/etc/passwd"`), "clean"},
		{"lock above the project", locks(`"../x"`), "clean"},
		{"lock in a longer form", locks(`"a/./b"`), "clean"},
		{"lock with a final slash", locks(`"a/"`), "clean"},
		{"lock that is the project", locks(`"."`), "clean"},
		{"lock without a path", locks(`""`), "clean"},
		{"lock with a backslash", locks(`"..\\x"`), "clean"},
		{"lock with a line feed", locks(`"a\nb"`), "clean"},
		{"lock with another script", locks(`"ä"`), "clean"},
		{"lock with a short digest", edit(`"locks":[]`, `"locks":[{"hash":"sha256:00","path":"a"}]`), "digest"},
		{"lock with more members", edit(`"locks":[]`, `"locks":[{"hash":"`+digest+`","path":"a","size":1}]`), ""},
		{"variable without a name", edit(`"variables":{}`, `"variables":{"":null}`), "no name"},
		{"variable with an equals sign", edit(`"variables":{}`, `"variables":{"A=B":"1"}`), "no name"},
		{"variable a boolean", edit(`"variables":{}`, `"variables":{"A":true}`), ""},
		{"too large", strings.Repeat(" ", limits.EnvLock+1), "limit"},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.data))
		switch {
		case err == nil:
			t.Errorf("%s: accepted", tt.name)
		case !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: %v; want %q in it", tt.name, err, tt.want)
		case strings.ContainsAny(err.Error(), "\n\x01") || !utf8.ValidString(err.Error()) || len(err.Error()) > 400:
			t.Errorf("%s: not one short line: %q", tt.name, err)
		}
	}
	for _, data := range []string{`{"schema":"relseal/envlock/v2"}`, `{"schema":1}`, `{}`} {
		if _, err := Parse([]byte(data)); !errors.Is(err, ErrSchema) {
			t.Errorf("%s: %v is not ErrSchema", data, err)
		}
	}
	if _, err := Parse([]byte(edit(`"os":{}`, `"os":1`))); errors.Is(err, ErrSchema) {
		t.Errorf("a fault of form is reported as one of schema: %v", err)
	}
}

// What Parse would refuse is never written.
func TestMarshalRefuses(t *testing.T) {
	for name, change := range map[string]func(*Lock){
		"no schema":         func(l *Lock) { l.Schema = "" },
		"locks in disorder": func(l *Lock) { l.Locks[0], l.Locks[1] = l.Locks[1], l.Locks[0] },
		"lock outside":      func(l *Lock) { l.Locks[0].Path = "../go.sum" },
		"nameless fact":     func(l *Lock) { l.Env.OS[""] = nil },
		"name":              func(l *Lock) { l.Env.OS["ä"] = nil },
		"invalid UTF-8":     func(l *Lock) { l.Env.OS["id"] = text("\xff") },
		"long text":         func(l *Lock) { l.Env.OS["id"] = text(strings.Repeat("x", limits.JSONString+1)) },
		"variable":          func(l *Lock) { l.Variables["A=B"] = nil },
		"size": func(l *Lock) {
			for i := range 65 {
				l.Env.OS[fmt.Sprint(i)] = text(strings.Repeat("x", limits.JSONString))
			}
		},
	} {
		l := sample()
		change(&l)
		if data, err := l.Marshal(); err == nil {
			if _, err := Parse(data); err == nil {
				t.Errorf("%s: written and read", name)
			} else {
				t.Errorf("%s: written, then refused: %v", name, err)
			}
		}
	}
}

// Every byte of a good document changed in turn, and every prefix of it, is
// refused or is another EnvLock that Diff tells apart.
func TestParseMutations(t *testing.T) {
	good := canonical(t, sample())
	l := sample()
	for i := range good {
		if _, err := Parse(good[:i]); err == nil {
			t.Errorf("the first %d bytes are accepted", i)
		}
		for _, b := range []byte{good[i] ^ 1, good[i] ^ 0x80, '"', '}', ' '} {
			if b == good[i] {
				continue
			}
			data := bytes.Clone(good)
			data[i] = b
			got, err := Parse(data)
			if err != nil {
				continue
			}
			if len(Diff(l, got)) == 0 {
				t.Errorf("byte %d as %q: other bytes, no difference", i, b)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(canonical(f, sample()))
	f.Add([]byte(empty))
	f.Add([]byte(`{"schema":"relseal/envlock/v2"}`))
	f.Add([]byte(`{"env":{},"locks":[],"schema":"relseal/envlock/v1","variables":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse(data)
		if err != nil {
			return
		}
		again, err := l.Marshal()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%q is written back as %q, %v", data, again, err)
		}
		if diffs := Diff(l, l); len(diffs) > 0 {
			t.Fatalf("differs from itself: %v", diffs)
		}
	})
}
