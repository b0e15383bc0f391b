package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// judgeArtifacts asks for each artifact whether its bytes were seen: as a copy
// in the bundle, or as a file that the caller has. Artifacts match by digest; a
// uri is a label and is never opened.
func (b *check) judgeArtifacts(artifacts []bundle.Artifact) error {
	b.c.ran(checkArtifacts)
	var elsewhere []int64
	for _, a := range artifacts {
		if !b.copies[a.Hash] {
			elsewhere = append(elsewhere, a.Size)
		}
	}
	if err := b.prepare(b.ctx, elsewhere); err != nil {
		return err
	}
	for _, a := range artifacts {
		found, err := b.Has(a.Hash, a.Size)
		switch {
		case err != nil:
			return err
		case found || b.broken || b.damagedCopy(a):
		case len(b.o.Held) > 0:
			b.unseen++ // another artifact than the one that is asked about
		default:
			b.add(checkArtifacts, finding.New(finding.ArtifactMissing, a.URI,
				fmt.Sprintf("neither embedded nor supplied (%d bytes, %s)", a.Size, a.Hash)))
		}
	}
	if b.nested() {
		return nil
	}
	b.judgeHeld(artifacts)
	return b.judgeNamed(artifacts)
}

// Has implements Artifacts: what lies in the bundle, and what the caller has.
// The copies in a release serve the audit bundles inside it too.
func (b *check) Has(d sign.Digest, size int64) (bool, error) {
	if b.copies[d] || containsFile(b.o.Held, d, size) {
		return true, nil
	}
	if b.o.Artifacts == nil {
		return false, nil
	}
	return b.o.Artifacts.Has(d, size)
}

// A preparer is Artifacts that can be told in advance which sizes will be asked
// for: many files are hashed faster than one after the other.
type preparer interface {
	prepare(ctx context.Context, sizes []int64) error
}

func (b *check) prepare(ctx context.Context, sizes []int64) error {
	if p, ok := b.o.Artifacts.(preparer); ok && len(sizes) > 0 {
		return p.prepare(ctx, sizes)
	}
	return nil
}

// damagedCopy reports whether a copy of a is listed: its damage is the finding.
func (b *check) damagedCopy(a bundle.Artifact) bool {
	_, listed := b.copies[a.Hash]
	return listed
}

// Dir returns the regular files below a directory as Artifacts. They match by digest
// alone, whatever their names. A file is hashed when one of its size is asked for.
func Dir(root string) (Artifacts, error) { return newDirSet(root) }

// NamedDir is Dir for the artifacts of one release: what lies below root under the name of
// an artifact and has other bytes is a finding. The name is the uri or, directly in root,
// the last segment of the uri. Links are followed, as whoever uses the file would.
func NamedDir(root string) (Artifacts, error) {
	s, err := newDirSet(root)
	return &namedSet{s, root}, err
}

func newDirSet(root string) (*fileSet, error) {
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
	if err := s.prepare(context.Background(), []int64{size}); err != nil {
		return false, err
	}
	for _, path := range s.bySize[size] {
		if s.hashes[path] == want {
			return true, nil
		}
	}
	return false, nil
}

// prepare hashes the files of these sizes, as many at a time as there are
// processors.
func (s *fileSet) prepare(ctx context.Context, sizes []int64) error {
	var todo []string
	for _, size := range slices.Compact(slices.Sorted(slices.Values(sizes))) {
		for _, path := range s.bySize[size] {
			if _, known := s.hashes[path]; !known {
				todo = append(todo, path)
			}
		}
	}
	return s.hash(ctx, todo)
}

// hash hashes files that have no hash yet.
func (s *fileSet) hash(ctx context.Context, todo []string) error {
	if len(todo) == 0 {
		return nil
	}
	var (
		wg     sync.WaitGroup
		next   atomic.Int64
		sums   = make([]sign.Digest, len(todo))
		faults = make([]error, len(todo))
		pool   = newBlockPool()
	)
	for range min(len(todo), runtime.GOMAXPROCS(0), blocks/2) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(todo)); i = next.Add(1) - 1 {
				sums[i], faults[i] = hashFile(ctx, todo[i], pool)
			}
		})
	}
	wg.Wait()
	for i, path := range todo {
		if faults[i] != nil {
			return faults[i] // the first in this order, whichever came first
		}
		s.hashes[path] = sums[i]
	}
	return nil
}

func hashFile(ctx context.Context, path string, pool blockPool) (sign.Digest, error) {
	f, err := regular.Open(path)
	if err != nil {
		return sign.Digest{}, err
	}
	defer f.Close()
	h := newHasher(pool)
	_, err = h.ReadFrom(regular.UntilDone(ctx, f))
	h.close()
	return <-h.sum, err
}

// hashNamed hashes a regular file that the caller names.
func hashNamed(ctx context.Context, name string) (sign.Digest, int64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return sign.Digest{}, 0, err
	}
	hash, err := hashFile(ctx, name, newBlockPool())
	return hash, info.Size(), err
}

// A namedSet is a fileSet whose files have the names that they bear below root.
type namedSet struct {
	*fileSet
	root string
}

func (s *namedSet) named(ctx context.Context, names []string) (map[string]bearer, error) {
	got := map[string]bearer{}
	var todo []string
	for _, name := range names {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			continue // no file can bear it
		}
		at := s.at(name)
		info, err := os.Stat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
			if _, err := os.Lstat(at); err == nil {
				got[name] = bearer{kind: "a link to nothing"}
			}
		case err != nil:
			return nil, err
		case info.IsDir():
		case !info.Mode().IsRegular():
			got[name] = bearer{kind: regular.Kind(info.Mode())}
		default:
			got[name] = bearer{}
			if _, known := s.hashes[at]; !known {
				todo = append(todo, at)
			}
		}
	}
	if err := s.hash(ctx, todo); err != nil {
		return nil, err
	}
	for name, f := range got {
		if f.kind == "" {
			f.hash = s.hashes[s.at(name)]
			got[name] = f
		}
	}
	return got, nil
}

func (s *namedSet) at(name string) string { return filepath.Join(s.root, filepath.FromSlash(name)) }

func (s *namedSet) pathsByDigest() map[sign.Digest][]string {
	found := map[sign.Digest][]string{}
	for at, hash := range s.hashes {
		if name, err := filepath.Rel(s.root, at); err == nil {
			found[hash] = append(found[hash], filepath.ToSlash(name))
		}
	}
	for _, names := range found {
		slices.Sort(names)
	}
	return found
}
