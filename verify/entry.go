package verify

import (
	"crypto/sha256"
	"io"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A reading is the state of a check while it reads the files of the bundle.
type reading struct {
	pool   blockPool // of the outermost bundle alone; made when it is needed
	hashes []pendingHash

	// While a file is read ahead in another goroutine, the findings of the container wait
	// in buffered until the file is done, so that findings always come in the same order.
	buffering bool
	buffered  []Finding
}

// A pendingHash is a file that is still being hashed.
type pendingHash struct {
	path string
	size int64
	sum  <-chan sign.Digest
}

// entry hashes one file, and reads its content if the manifest gives it a meaning.
func (b *check) entry(e *bundle.Entry) error {
	src := b.count(regular.UntilDone(b.ctx, e.Body))
	if e.Size < large {
		h := sha256.New()
		body := io.TeeReader(src, h)
		if err := b.readByRole(e, body); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
		b.recordContent(e.Path, content{sign.Digest(h.Sum(nil)), e.Size})
		return nil
	}
	h := newHasher(b.blocks())
	err := b.readLarge(e, src, h)
	h.close()
	if err == nil {
		b.hashes = append(b.hashes, pendingHash{e.Path, e.Size, h.sum})
	}
	return err
}

// readLarge reads the content of a large file and gives all of its bytes to h.
func (b *check) readLarge(e *bundle.Entry, src io.Reader, h *hasher) error {
	if role := b.files[e.Path].Role; role == bundle.RoleTrail || role == bundle.RoleLedger {
		b.bufferFindings(true)
		defer b.bufferFindings(false)
		a := readAhead(src, b.blocks())
		defer a.close()
		src = a
	}
	if err := b.readByRole(e, io.TeeReader(src, h)); err != nil {
		return err
	}
	_, err := h.ReadFrom(src)
	return err
}

// awaitHashes waits for the digests of all files that were read so far.
func (b *check) awaitHashes() {
	for _, p := range b.hashes {
		b.recordContent(p.path, content{<-p.sum, p.size})
	}
	b.hashes = nil
}

// recordContent records the digest and size of the file at path.
func (b *check) recordContent(path string, got content) {
	b.seen[path] = got
	if f := b.files[path]; f.Role == bundle.RoleArtifact && f.Hash == got.hash {
		b.copies[got.hash] = true
	}
}

// outermost returns the check of the bundle that contains all others.
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

// bufferFindings makes the findings of the container wait, or reports those that have
// waited. It does so for the bundles around this one, too, because this one is read
// through their readers.
func (b *check) bufferFindings(on bool) {
	for ; b != nil; b = b.within {
		b.buffering = on
		held := b.buffered
		b.buffered = nil
		for _, f := range held {
			b.add(checkContainer, f)
		}
	}
}

// container takes a finding of the reader of the bundle.
func (b *check) container(f Finding) {
	if b.buffering {
		b.buffered = append(b.buffered, f)
		return
	}
	b.add(checkContainer, f)
}
