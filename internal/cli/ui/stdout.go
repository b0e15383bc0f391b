package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/relseal/relseal/internal/escape"
)

// Stdout remembers the first failure, so that a full or closed stdout
// is not taken for success.
type Stdout struct {
	Ctx   context.Context
	To    io.Writer
	shown io.Writer // before w, if that is a terminal: what it would obey is shown
	Err   error
	Any   bool // something was written
}

// NewStdout returns one that writes to w until ctx ends.
func NewStdout(ctx context.Context, w io.Writer) *Stdout {
	c := &Stdout{Ctx: ctx, To: w}
	if Terminal(w) {
		c.shown = escape.Writer(writerFunc(c.write))
	}
	return c
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// ErrStuck reports that nobody reads what relseal writes, and that it was interrupted.
var ErrStuck = errors.New("interrupted while nobody reads it")

func (c *Stdout) Write(p []byte) (int, error) {
	if c.Err != nil {
		return 0, c.Err
	}
	write := c.write
	if c.shown != nil {
		write = c.shown.Write
	}
	n, err := write(p)
	c.Err, c.Any = err, c.Any || n > 0
	return n, err
}

// LastWords is how long an interrupted program waits for somebody who reads.
const LastWords = 200 * time.Millisecond

// write waits for a reader no longer than until the user interrupts: a pipe may be
// full and whoever should empty it asleep.
func (c *Stdout) write(p []byte) (int, error) {
	if f, ok := c.To.(*os.File); !ok || c.Ctx.Done() == nil || !waits(f) {
		return c.To.Write(p)
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	own := bytes.Clone(p) // the caller may use p again while a write is stuck
	go func() {
		n, err := c.To.Write(own)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		return r.n, r.err
	case <-c.Ctx.Done():
	}
	select {
	case r := <-done:
		return r.n, r.err
	case <-time.After(LastWords):
		return 0, ErrStuck
	}
}

// waits reports whether writing to f may wait for somebody else.
func waits(f *os.File) bool {
	info, err := f.Stat()
	return err != nil || !info.Mode().IsRegular()
}
