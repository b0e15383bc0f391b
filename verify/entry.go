package verify

import (
	"crypto/sha256"
	"io"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A reading is what it takes to read the files of a bundle beside their bytes.
type reading struct {
	pool   blockPool // made when it is needed; of the outermost bundle
	hashes []pendingHash

	// While a file is read ahead, what its reader reports waits until the file is
	// done: findings come from one goroutine, in an order that is always the same.
	holding bool
	held    []Finding
}

// A pendingHash is a file that is still being hashed.
type pendingHash struct {
	path string
	size int64
	sum  <-chan sign.Digest
}

// entry takes one file: hashes it, and looks inside where it means something.
func (b *check) entry(e *bundle.Entry) error {
	src := b.count(regular.UntilDone(b.ctx, e.Body))
	if e.Size < large {
		h := sha256.New()
		body := io.TeeReader(src, h)
		if err := b.look(e, body); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
		b.saw(e.Path, content{sign.Digest(h.Sum(nil)), e.Size})
		return nil
	}
	h := newHasher(b.blocks())
	err := b.through(e, src, h)
	h.close()
	if err == nil {
		b.hashes = append(b.hashes, pendingHash{e.Path, e.Size, h.sum})
	}
	return err
}

// through passes a large file by those who look at it, and all of it to h.
func (b *check) through(e *bundle.Entry, src io.Reader, h *hasher) error {
	if role := b.files[e.Path].Role; role == bundle.RoleTrail || role == bundle.RoleLedger {
		b.hold(true)
		defer b.hold(false)
		a := readAhead(src, b.blocks())
		defer a.close()
		src = a
	}
	if err := b.look(e, io.TeeReader(src, h)); err != nil {
		return err
	}
	_, err := h.ReadFrom(src)
	return err
}

// settle waits for the digests of all files that were read.
func (b *check) settle() {
	for _, p := range b.hashes {
		b.saw(p.path, content{<-p.sum, p.size})
	}
	b.hashes = nil
}

// saw takes in what the file at path turned out to be.
func (b *check) saw(path string, got content) {
	b.seen[path] = got
	if f := b.files[path]; f.Role == bundle.RoleArtifact && f.Hash == got.hash {
		b.copies[got.hash] = true
	}
}

// outermost returns the check of the bundle that all others lie in.
func (b *check) outermost() *check {
	for b.within != nil {
		b = b.within
	}
	return b
}

func (b *check) blocks() blockPool {
	o := b.outermost()
	if o.pool == nil {
		o.pool = newBlockPool()
	}
	return o.pool
}

// hold makes the findings of the container wait, and those of the bundles around
// this one, through which it is read; or passes them on.
func (b *check) hold(on bool) {
	for ; b != nil; b = b.within {
		b.holding = on
		held := b.held
		b.held = nil
		for _, f := range held {
			b.add(checkContainer, f)
		}
	}
}

// container takes what the reader of the bundle reports.
func (b *check) container(f Finding) {
	if b.holding {
		b.held = append(b.held, f)
		return
	}
	b.add(checkContainer, f)
}
