package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// An opener is regular.OpenIn, or regular.OpenSelfIn where a symbolic link will not do.
type opener func(*os.Root, string) (*regular.File, error)

// hashFile reads the regular file name below root.
func hashFile(ctx context.Context, root *os.Root, open opener, name string) (Artifact, error) {
	f, err := open(root, name)
	if other, ok := errors.AsType[*regular.KindError](err); ok {
		switch other.Kind {
		case "a symbolic link":
			return Artifact{}, errors.New("is a symbolic link; a bundle holds the file itself, so make that")
		case "a directory":
			return Artifact{}, errors.New("is a directory; name files, such as " + path.Join(name, "*"))
		}
		return Artifact{}, other
	}
	if err != nil {
		return Artifact{}, err
	}
	defer f.Close()
	hash, size, err := sign.SumReader(contextReader{ctx, f})
	return Artifact{name, hash, size}, err
}

// contextReader ends a long read when ctx ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, aborted(c.ctx)
	}
	return c.r.Read(p)
}

func items(files []Artifact) []audit.Item {
	list := make([]audit.Item, len(files))
	for i, f := range files {
		list[i] = audit.Item{Hash: f.Hash, URI: f.URI}
	}
	return list
}

// maxItems bounds what the items of one event take: a line of a trail is at most
// 1 MiB, and there are other members.
const maxItems = 960 << 10

// fits refuses files that no event could list, before anything runs.
func fits(names ...string) error {
	size := 0
	for _, name := range names {
		size += len(`{"hash":"sha256:","uri":""},`) + 64 + len(name) + strings.Count(name, `"`) + strings.Count(name, `\`)
	}
	if size > maxItems {
		return fmt.Errorf("%d files do not fit into one event; split the step, or take in one file that stands for many", len(names))
	}
	return nil
}

// partial is where standard output goes until the step has ended well.
func partial(stdout string) string { return path.Join(path.Dir(stdout), "."+path.Base(stdout)+".part") }

func (r *runner) removeOutputs(s cards.Step) error {
	names := s.AllOutputs()
	if s.Stdout != "" {
		names = append(slices.Clone(names), partial(s.Stdout))
	}
	var first error
	for _, name := range names {
		info, err := r.root.Lstat(name)
		switch {
		case missing(err):
			continue
		case err == nil && info.IsDir():
			err = errors.New("is a directory")
		case err == nil:
			err = r.root.Remove(name)
		}
		if err != nil && first == nil {
			first = unwritten("output "+name, err)
		}
	}
	return first
}

func (r *runner) makeParents(s cards.Step) error {
	for _, name := range s.AllOutputs() {
		if err := r.root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return unwritten("output "+name, err)
		}
	}
	return nil
}

// compare returns nil if the two lists have the same digests, one by one.
func compare(again, first []Artifact) error {
	if len(again) != len(first) {
		return fmt.Errorf("E_NONDETERMINISM: %d outputs, where there were %d", len(again), len(first))
	}
	for i, a := range again {
		if b := first[i]; a.Hash != b.Hash {
			return fmt.Errorf("E_NONDETERMINISM: %s is %v, %s is %v", a.URI, a.Hash, b.URI, b.Hash)
		}
	}
	return nil
}

// artifacts hashes what the run was for. What a step made or read must still be
// what it was then.
func (r *runner) artifacts(ctx context.Context) ([]Artifact, error) {
	files, err := hashFiles(ctx, r.root, "artifact", r.Artifacts)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if was, ok := r.known[f.URI]; ok && was.hash != f.Hash {
			return nil, fmt.Errorf("E_DATA_MISMATCH: artifact %s changed after %s", f.URI, was.text)
		}
	}
	return files, nil
}
