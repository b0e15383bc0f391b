package keys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/sign"
)

// tree writes files below a new directory and returns it.
func tree(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadTrusted(t *testing.T) {
	a, b, c := seeded(t, 1).Public(), seeded(t, 2).Public(), seeded(t, 3).Public()
	dir := tree(t, map[string][]byte{
		"keys/a.pub":        a.PEM(),
		"keys/a.ssh.pub":    a.AuthorizedKey("again"),
		"keys/b.pub":        b.AuthorizedKey(""),
		"keys/README":       []byte("not a key"),
		"keys/.hidden.pub":  []byte("not a key"),
		"keys/below/c.pub":  []byte("not a key"),
		"single.pem":        c.PEM(),
		"empty/README":      nil,
		"weak/a.pub":        a.PEM(),
		"weak/old.pub":      must(os.ReadFile(filepath.Join(vectorDir, "weak-00.pem"))),
		"mixed/a.pub":       a.PEM(),
		"mixed/rsa.pub":     must(os.ReadFile(filepath.Join(vectorDir, "rsa.pem"))),
		"private/key.pub":   must(seeded(t, 1).PKCS8PEM()),
		"twice/1.pub":       a.PEM(),
		"twice/2.pub":       a.PEM(),
		"directory/x.pub/y": nil,
	})
	in := func(names ...string) []string {
		for i := range names {
			names[i] = filepath.Join(dir, names[i])
		}
		return names
	}
	for _, tt := range []struct {
		paths []string
		want  []sign.PublicKey
	}{
		{in("single.pem"), []sign.PublicKey{c}},
		{in("keys"), []sign.PublicKey{a, b}},
		{in("keys", "single.pem", "keys/a.pub"), []sign.PublicKey{a, b, c}},
		{in("twice"), []sign.PublicKey{a}},
	} {
		got, err := LoadTrusted(tt.paths)
		if err != nil {
			t.Errorf("%v: %v", tt.paths, err)
			continue
		}
		ids := got.IDs()
		if len(ids) != len(tt.want) || !slices.IsSortedFunc(ids, func(x, y sign.KeyID) int { return strings.Compare(x.String(), y.String()) }) {
			t.Errorf("%v: ids %v", tt.paths, ids)
		}
		for _, k := range tt.want {
			if found, ok := got.Verifier(k.KeyID()); !ok || found != k {
				t.Errorf("%v: %s is missing", tt.paths, k.KeyID())
			}
		}
		if _, ok := got.Verifier(sign.KeyID{}); ok {
			t.Errorf("%v: a key that nobody gave is trusted", tt.paths)
		}
	}

	for _, tt := range []struct {
		paths []string
		is    error
		names string
	}{
		{nil, nil, "no public key"},
		{in("none.pub"), fs.ErrNotExist, "none.pub"},
		{in("single.pem", "none"), fs.ErrNotExist, "none"},
		{in("empty"), nil, "empty: is a directory without"},
		{in("weak"), sign.ErrWeakKey, filepath.Join("weak", "old.pub")},
		{in("mixed"), nil, filepath.Join("mixed", "rsa.pub")},
		{in("private"), nil, filepath.Join("private", "key.pub")},
		{in("directory"), nil, "x.pub: is a directory"},
		{in("keys/README"), nil, "README"},
	} {
		got, err := LoadTrusted(tt.paths)
		if err == nil || got != nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("%v: %v, error %v, want one with %q", tt.paths, got, err, tt.names)
			continue
		}
		oneLine(t, tt.names, err)
	}
	if _, err := LoadTrusted(in("none.pub")); hint.Of(err) == "" {
		t.Error("a missing file comes without a hint")
	}
}

func TestTrustedZero(t *testing.T) {
	k := seeded(t, 1).Public()
	for name, set := range map[string]*Trusted{"nil": nil, "zero": {}, "no key": NewTrusted(), "zero key": NewTrusted(sign.PublicKey{})} {
		if _, ok := set.Verifier(k.KeyID()); ok || len(set.IDs()) != 0 {
			t.Errorf("%s trusts somebody", name)
		}
		if _, ok := set.Verifier(sign.PublicKey{}.KeyID()); ok {
			t.Errorf("%s trusts the zero key", name)
		}
	}
	if got, ok := NewTrusted(k, k).Verifier(k.KeyID()); !ok || got != k {
		t.Error("a given key is not trusted")
	}
}
