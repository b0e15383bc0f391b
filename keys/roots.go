package keys

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/keyfile"
	"github.com/relseal/relseal/keys/root"
)

// A Roots is a directory of versions of a trust root as their holders keep it:
// N.root.json without a gap.
type Roots struct {
	Dir     string
	Chain   *root.Chain // the signed versions; nil if not even the first is
	Pending *root.Root  // the version after them that lacks signatures; nil if there is none
}

// Previous returns the version that Pending comes after, nil for the first.
func (r *Roots) Previous() *root.Root {
	if r.Chain == nil {
		return nil
	}
	return r.Chain.Last()
}

// OpenRoots reads the versions in dir. Its first version is believed: the directory
// is the caller's own.
func OpenRoots(dir string) (*Roots, error) {
	files, err := rootFiles(dir, "")
	if err != nil {
		return nil, err
	}
	r := &Roots{Dir: dir}
	for i, f := range files {
		data, err := f.read()
		if err != nil {
			return nil, err
		}
		v, err := root.Parse(data)
		if err != nil {
			return nil, keyfile.Error(f.path, err)
		}
		if v.Version() != f.version || i > 0 && f.version != files[i-1].version+1 {
			return nil, keyfile.Error(f.path, fmt.Errorf("holds version %d and stands where version %d is expected", v.Version(), files[0].version+int64(i)))
		}
		lacks, err := root.Lacks(r.Previous(), v)
		switch {
		case err != nil:
			return nil, keyfile.Error(f.path, err)
		case len(lacks) > 0 && i == len(files)-1:
			r.Pending = v
		case r.Chain == nil:
			r.Chain, err = root.Pin(data)
		default:
			err = r.Chain.Add(data)
		}
		if err != nil {
			return nil, keyfile.Error(f.path, err)
		}
	}
	return r, nil
}

// LoadRoot pins the version in the file pinned, which the caller trusts, and offers
// the chain the versions in dir, which need no trust; dir may be "".
func LoadRoot(pinned, dir string) (*root.Chain, error) {
	data, _, err := keyfile.Read(pinned)
	if err != nil {
		return nil, err
	}
	chain, err := root.Pin(data)
	if err != nil {
		return nil, rootError(pinned, data, err)
	}
	if dir == "" {
		return chain, nil
	}
	files, err := rootFiles(dir, pinned)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if data, err = f.read(); err != nil {
			return nil, err
		}
		chain.Offer(f.version, data)
	}
	return chain, nil
}

// GoOn takes the chain on by the versions in dir, which need no trust, until a version, but
// no further. The error wraps fs.ErrNotExist where one of them is missing.
func GoOn(chain *root.Chain, dir string, version int64) error {
	for chain.Last().Version() < version {
		file := filepath.Join(dir, root.FileName(chain.Last().Version()+1))
		data, _, err := keyfile.Read(file)
		if err == nil {
			if err = chain.Add(data); err != nil {
				err = keyfile.Error(file, err)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ReadRoot reads one version and holds nothing of it against another.
func ReadRoot(path string) (*root.Root, error) {
	data, _, err := keyfile.Read(path)
	if err != nil {
		return nil, err
	}
	r, err := root.Parse(data)
	if err != nil {
		return nil, rootError(path, data, err)
	}
	return r, nil
}

// rootError is err about a file that was given as a version of a root; a key is often
// mistaken for one.
func rootError(path string, data []byte, err error) error {
	if _, e := keyfile.Scan(data); e == nil {
		err = hint.With(errors.New("holds a key, and no version of a trust root"), "--key takes a public key")
	}
	return keyfile.Error(path, err)
}

type rootFile struct {
	path    string
	version int64
}

func (f rootFile) read() ([]byte, error) {
	data, _, err := keyfile.Read(f.path)
	return data, err
}

// rootFiles returns the files N.root.json of dir, by N. It is an error if there is none,
// or if one has a name like that under which nobody would look for it; named is a file that
// the caller has named otherwise.
func rootFiles(dir, named string) ([]rootFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	var files []rootFile
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if n, ok := root.VersionOf(e.Name()); ok {
			files = append(files, rootFile{path, n})
		} else if like := strings.ToLower(e.Name()); path != filepath.Clean(named) && !strings.HasPrefix(like, ".") && strings.Contains(like, "root") && strings.Contains(like, ".json") {
			return nil, hint.With(keyfile.Error(path, errors.New("looks like a version of a trust root and has not the name of one, such as 2.root.json")), "rename it, or move it out of the directory")
		}
	}
	if len(files) == 0 {
		return nil, hint.With(keyfile.Error(dir, errors.New("holds no version of a trust root, 1.root.json and so on")), "relseal trust init makes the first one")
	}
	slices.SortFunc(files, func(a, b rootFile) int { return int(a.version - b.version) })
	return files, nil
}
