package verify

import (
	"crypto/sha256"
	"io"

	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/sign"
)

// Content is hashed while it is read, and what is large in goroutines of their
// own: reading, decompressing and checking go on meanwhile. Memory is bounded by
// the blocks that are on their way, however many files there are.
const (
	block  = 128 * limits.KiB
	blocks = 16 // of one check, or of one directory of artifacts
)

// large is the size from which a file is worth a goroutine; tests change it.
var large int64 = block

// A blockPool hands out memory for blocks, at most so many at a time.
type blockPool chan []byte

func newBlockPool() blockPool {
	p := make(blockPool, blocks)
	for range blocks {
		p <- nil // made when it is needed
	}
	return p
}

func (p blockPool) get() []byte {
	b := <-p
	if b == nil {
		b = make([]byte, 0, block)
	}
	return b
}

func (p blockPool) put(b []byte) { p <- b[:0] }

// A hasher is an io.Writer that hashes in a goroutine of its own. What is written
// is copied; ReadFrom reads into the blocks themselves.
type hasher struct {
	pool blockPool
	next []byte
	work chan []byte
	sum  chan sign.Digest
}

func newHasher(pool blockPool) *hasher {
	h := &hasher{pool: pool, work: make(chan []byte, blocks), sum: make(chan sign.Digest, 1)}
	go func() {
		s := sha256.New()
		for b := range h.work {
			s.Write(b)
			pool.put(b)
		}
		h.sum <- sign.Digest(s.Sum(nil))
	}()
	return h
}

func (h *hasher) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if h.next == nil {
			h.next = h.pool.get()
		}
		k := copy(h.next[len(h.next):cap(h.next)], p)
		h.next, n, p = h.next[:len(h.next)+k], n+k, p[k:]
		if len(h.next) == cap(h.next) {
			h.send()
		}
	}
	return n, nil
}

func (h *hasher) ReadFrom(r io.Reader) (n int64, err error) {
	for err == nil {
		if h.next == nil {
			h.next = h.pool.get()
		}
		var k int
		k, err = r.Read(h.next[len(h.next):cap(h.next)])
		h.next, n = h.next[:len(h.next)+k], n+int64(k)
		if len(h.next) == cap(h.next) {
			h.send()
		}
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

func (h *hasher) send() {
	h.work <- h.next
	h.next = nil
}

// close ends the content. The digest comes out of h.sum, once.
func (h *hasher) close() {
	if h.next != nil {
		h.send()
	}
	close(h.work)
}

// An ahead reads another reader in a goroutine of its own, a few blocks ahead, so
// that a trail is unpacked while it is checked.
type ahead struct {
	pool  blockPool
	ready chan aheadBlock
	quit  chan struct{}
	now   aheadBlock
	rest  []byte // of now
}

type aheadBlock struct {
	data []byte
	err  error // what came after the data
}

func readAhead(r io.Reader, pool blockPool) *ahead {
	a := &ahead{pool: pool, ready: make(chan aheadBlock, blocks/4), quit: make(chan struct{})}
	go func() {
		defer close(a.ready)
		for {
			b := aheadBlock{data: pool.get()}
			n, err := io.ReadFull(r, b.data[:cap(b.data)])
			if err == io.ErrUnexpectedEOF {
				err = io.EOF
			}
			b.data, b.err = b.data[:n], err
			select {
			case a.ready <- b:
			case <-a.quit:
				pool.put(b.data)
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return a
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.now.err != nil {
			return 0, a.now.err
		}
		if a.now.data != nil {
			a.pool.put(a.now.data)
		}
		a.now = <-a.ready
		a.rest = a.now.data
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// close returns when nothing is read any longer.
func (a *ahead) close() {
	close(a.quit)
	if a.now.data != nil {
		a.pool.put(a.now.data)
	}
	for b := range a.ready {
		a.pool.put(b.data)
	}
}
