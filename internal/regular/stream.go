package regular

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Stream opens what path names to be read once, from front to back: a regular file,
// or a pipe, as the shell makes one of <(command). Waiting for its writer, to open
// it or to write more, ends when ctx does.
func Stream(ctx context.Context, path string) (io.ReadCloser, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Type() != fs.ModeNamedPipe {
		f, err := Open(path)
		if err != nil {
			return nil, err // and no File that is nil
		}
		return f, nil
	}
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() { // an open that waits cannot be called off
		f, err := os.Open(path)
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return struct {
			io.Reader
			io.Closer
		}{Until(ctx, o.f), o.f}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Given is Open, and Stream of a path to what this process was started with, as the
// shell makes one of <(command): nobody else has put that there.
func Given(ctx context.Context, path string) (io.ReadCloser, error) {
	if dir, _ := filepath.Split(path); dir == "/dev/fd/" || path == "/dev/stdin" {
		return Stream(ctx, path)
	}
	f, err := Open(path)
	if err != nil {
		return nil, err // and no File that is nil
	}
	return f, nil
}

// UntilDone returns a reader of r that asks ctx before each read: a long one ends with it,
// and one that waits for others goes on waiting (see [Until]).
func UntilDone(ctx context.Context, r io.Reader) io.Reader { return untilDone{ctx, r} }

type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}

// Until returns a reader of r, which may wait for others, that waits no longer than
// until ctx is done. What r gives after that is lost.
func Until(ctx context.Context, r io.Reader) io.Reader {
	return &until{ctx: ctx, r: r, buf: make([]byte, 64<<10)}
}

type until struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte
	rest []byte // of buf, that was read and not given on
	err  error  // what came after that

	reading chan struct{} // while r is being asked; then n and next are its answer
	n       int
	next    error
}

func (u *until) Read(p []byte) (int, error) {
	for len(u.rest) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		if u.reading == nil {
			u.reading = make(chan struct{})
			go func(done chan struct{}) {
				defer close(done)
				u.n, u.next = u.r.Read(u.buf)
			}(u.reading)
		}
		select {
		case <-u.ctx.Done():
			return 0, u.ctx.Err()
		case <-u.reading:
			u.reading, u.rest, u.err = nil, u.buf[:u.n], u.next
		}
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	return n, nil
}
