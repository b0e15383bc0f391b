package trail

import (
	"context"
	"io"
	"sync"

	"github.com/relseal/relseal/internal/limits"
)

// A feed reads a stream ahead, at most 1 MiB: what arrives while events are
// written becomes the next batch, however fast or slow it comes.
//
// Read waits in the middle of a line. At the end of one it returns io.EOF as soon
// as there is nothing more for now; wait says whether there will be.
type feed struct {
	mu      sync.Mutex
	changed *sync.Cond
	ahead   []byte
	err     error // of the source, io.EOF at its end
	inLine  bool
}

func newFeed(ctx context.Context, r io.Reader) *feed {
	f := &feed{}
	f.changed = sync.NewCond(&f.mu)
	context.AfterFunc(ctx, func() { f.stop(ctx.Err()) })
	// It may wait for input until the end of the process: nothing can wake it.
	go f.fill(r)
	return f
}

func (f *feed) fill(r io.Reader) {
	chunk := make([]byte, 64*limits.KiB)
	for {
		n, err := r.Read(chunk)
		f.mu.Lock()
		for len(f.ahead) >= limits.MiB && f.err == nil {
			f.changed.Wait()
		}
		if f.err == nil { // not stopped
			f.ahead, f.err = append(f.ahead, chunk[:n]...), err
		}
		stop := f.err != nil
		f.changed.Broadcast()
		f.mu.Unlock()
		if stop {
			return
		}
	}
}

// stop ends the feed, whatever it holds.
func (f *feed) stop(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ahead, f.err = nil, err
	f.changed.Broadcast()
}

func (f *feed) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.ahead) == 0 {
		if f.err != nil {
			return 0, f.err
		}
		if !f.inLine {
			return 0, io.EOF
		}
		f.changed.Wait()
	}
	n := copy(p, f.ahead)
	f.inLine = p[n-1] != '\n'
	f.ahead = f.ahead[n:]
	f.changed.Broadcast()
	return n, nil
}

// wait returns true once there is something to read, and false if there will be
// nothing; the error is not io.EOF.
func (f *feed) wait() (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.ahead) == 0 && f.err == nil {
		f.changed.Wait()
	}
	if len(f.ahead) > 0 {
		return true, nil
	}
	if f.err == io.EOF {
		return false, nil
	}
	return false, f.err
}
