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

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/finding"
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
	if b.copies[d] {
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
	f, err := os.Open(path)
	if err != nil {
		return sign.Digest{}, err
	}
	defer f.Close()
	h := newHasher(pool)
	_, err = h.ReadFrom(untilDone{ctx, f})
	h.close()
	return <-h.sum, err
}
