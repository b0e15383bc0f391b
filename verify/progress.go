package verify

import (
	"io"
	"sync/atomic"
)

// Progress tells how far a verification has come. It may be read at any time.
type Progress struct {
	Events atomic.Int64 // of trails, those inside evidence included
	Bytes  atomic.Int64 // of the files of the bundle, unpacked
	Of     atomic.Int64 // how many there will be, as the manifest says; 0: not known yet
}

// Count returns r, counting the bytes that are read of it.
func (p *Progress) Count(r io.Reader) io.Reader { return counting{r, &p.Bytes} }

type counting struct {
	r io.Reader
	n *atomic.Int64
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// count counts what is read of a file of the outermost bundle.
func (b *check) count(r io.Reader) io.Reader {
	if b.o.Progress == nil || b.nested() {
		return r
	}
	return b.o.Progress.Count(r)
}

// expect says how many bytes the files have that the manifest lists.
func (b *check) expect() {
	if b.o.Progress == nil || b.nested() {
		return
	}
	total := b.o.Progress.Bytes.Load()
	for _, f := range b.files {
		total += f.Size
	}
	b.o.Progress.Of.Store(total)
}

// judged returns what counts the events of a trail, or nil.
func (b *check) judged() *atomic.Int64 {
	if b.o.Progress == nil {
		return nil
	}
	return &b.o.Progress.Events
}
