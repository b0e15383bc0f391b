package verify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/finding"
	"github.com/relseal/relseal/sign"
)

// judgeArtifacts asks for each artifact whether its bytes were seen: as a copy
// in the bundle, or as a file that the caller has. Artifacts match by digest; a
// uri is a label and is never opened.
func (b *check) judgeArtifacts(artifacts []bundle.Artifact) error {
	b.c.ran(checkArtifacts)
	for _, a := range artifacts {
		found, err := b.Has(a.Hash, a.Size)
		if err != nil {
			return err
		}
		if !found && !b.broken && !b.damagedCopy(a) {
			b.add(checkArtifacts, finding.New(finding.ArtifactMissing, a.URI,
				fmt.Sprintf("neither embedded nor supplied (%d bytes, %s)", a.Size, a.Hash)))
		}
	}
	return nil
}

// Has implements Artifacts: what lies in the bundle, and what the caller has.
// The copies in a release serve the audit bundles inside it too.
func (b *check) Has(d sign.Digest, size int64) (bool, error) {
	for path, f := range b.files {
		if f.Role == bundle.RoleArtifact && f.Hash == d && b.seen[path].hash == d {
			return true, nil
		}
	}
	if b.o.Artifacts == nil {
		return false, nil
	}
	return b.o.Artifacts.Has(d, size)
}

// damagedCopy reports whether a copy of a is listed: its damage is the finding.
func (b *check) damagedCopy(a bundle.Artifact) bool {
	for _, f := range b.files {
		if f.Role == bundle.RoleArtifact && f.Hash == a.Hash {
			return true
		}
	}
	return false
}

// Dir returns the regular files below a directory as Artifacts. A file is
// hashed when one of its size is asked for.
func Dir(root string) (Artifacts, error) {
	s := newFileSet()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			s.bySize[info.Size()] = append(s.bySize[info.Size()], path)
		}
		return err
	})
	return s, err
}

// Files returns the regular files among names as Artifacts; one that does not
// exist is none.
func Files(names []string) (Artifacts, error) {
	s := newFileSet()
	for _, name := range names {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			s.bySize[info.Size()] = append(s.bySize[info.Size()], name)
		}
	}
	return s, nil
}

func newFileSet() *fileSet {
	return &fileSet{bySize: map[int64][]string{}, hashes: map[string]sign.Digest{}}
}

type fileSet struct {
	bySize map[int64][]string
	hashes map[string]sign.Digest
}

func (s *fileSet) Has(want sign.Digest, size int64) (bool, error) {
	for _, path := range s.bySize[size] {
		if _, known := s.hashes[path]; !known {
			h, err := hashFile(path)
			if err != nil {
				return false, err
			}
			s.hashes[path] = h
		}
		if s.hashes[path] == want {
			return true, nil
		}
	}
	return false, nil
}

func hashFile(path string) (sign.Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return sign.Digest{}, err
	}
	defer f.Close()
	d, _, err := sign.SumReader(f)
	return d, err
}
