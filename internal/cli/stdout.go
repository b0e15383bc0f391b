package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/relseal/relseal/internal/escape"
)

// checkedWriter remembers the first failure, so that a full or closed stdout
// is not taken for success.
type checkedWriter struct {
	ctx   context.Context
	w     io.Writer
	shown io.Writer // before w, if that is a terminal: what it would obey is shown
	err   error
	any   bool // something was written
}

// newCheckedWriter returns one that writes to w until ctx ends.
func newCheckedWriter(ctx context.Context, w io.Writer) *checkedWriter {
	c := &checkedWriter{ctx: ctx, w: w}
	if terminal(w) {
		c.shown = escape.Writer(writerFunc(c.write))
	}
	return c
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// errStuck reports that nobody reads what relseal writes, and that it was interrupted.
var errStuck = errors.New("interrupted while nobody reads it")

func (c *checkedWriter) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	write := c.write
	if c.shown != nil {
		write = c.shown.Write
	}
	n, err := write(p)
	c.err, c.any = err, c.any || n > 0
	return n, err
}

// lastWords is how long an interrupted program waits for somebody who reads.
const lastWords = 200 * time.Millisecond

// write waits for a reader no longer than until the user interrupts: a pipe may be
// full and whoever should empty it asleep.
func (c *checkedWriter) write(p []byte) (int, error) {
	if f, ok := c.w.(*os.File); !ok || c.ctx.Done() == nil || !waits(f) {
		return c.w.Write(p)
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	own := bytes.Clone(p) // the caller may use p again while a write is stuck
	go func() {
		n, err := c.w.Write(own)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		return r.n, r.err
	case <-c.ctx.Done():
	}
	select {
	case r := <-done:
		return r.n, r.err
	case <-time.After(lastWords):
		return 0, errStuck
	}
}

// waits reports whether writing to f may wait for somebody else.
func waits(f *os.File) bool {
	info, err := f.Stat()
	return err != nil || !info.Mode().IsRegular()
}
