package keys

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/keyfile"
	"github.com/relseal/relseal/sign"
)

// A Trusted is a set of public keys that its maker trusts. It implements
// [sign.Verifiers]; the zero value and nil trust nobody.
type Trusted struct{ keys map[sign.KeyID]sign.PublicKey }

// NewTrusted returns the set of the given keys.
func NewTrusted(keys ...sign.PublicKey) *Trusted {
	t := &Trusted{keys: make(map[sign.KeyID]sign.PublicKey, len(keys))}
	for _, k := range keys {
		if !k.IsZero() {
			t.keys[k.KeyID()] = k
		}
	}
	return t
}

// LoadTrusted reads public keys. A path is a key file or a directory, from which
// every file named *.pub is taken, as the shell understands it: none below it and
// none whose name begins with a dot. A directory without a key, a file that is no
// key, and no path at all are errors, and so is one weak key among good ones: a
// list of trusted keys that is half read is not the caller's. The same key may
// occur more than once.
func LoadTrusted(paths []string) (*Trusted, error) {
	if len(paths) == 0 {
		return nil, errors.New("no public key to trust is given")
	}
	t := NewTrusted()
	for _, path := range paths {
		files, err := keyFiles(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			key, err := LoadPublic(file)
			if err != nil {
				return nil, err
			}
			t.keys[key.KeyID()] = key
		}
	}
	return t, nil
}

// keyFiles returns path, or the key files in the directory path, sorted.
func keyFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, hint.With(keyfile.Error(path, err), "give the .pub file of the release key, or a directory of them")
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, keyfile.Error(path, err)
	}
	var files []string
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".pub") && !strings.HasPrefix(name, ".") {
			files = append(files, filepath.Join(path, name))
		}
	}
	if len(files) == 0 {
		return nil, hint.With(keyfile.Error(path, errors.New("is a directory without a .pub file")), "name public key files with the extension .pub")
	}
	return files, nil
}

// Verifier returns the trusted key with the given id.
func (t *Trusted) Verifier(id sign.KeyID) (sign.PublicKey, bool) {
	if t == nil {
		return sign.PublicKey{}, false
	}
	k, ok := t.keys[id]
	return k, ok
}

// IDs returns the ids of the trusted keys, sorted by their text.
func (t *Trusted) IDs() []sign.KeyID {
	if t == nil {
		return nil
	}
	ids := make([]sign.KeyID, 0, len(t.keys))
	for id := range t.keys {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b sign.KeyID) int { return strings.Compare(a.String(), b.String()) })
	return ids
}
