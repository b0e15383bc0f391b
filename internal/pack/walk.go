package pack

import (
	"errors"
	"fmt"
	"io"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
)

// A walk reads files of one bundle as they stream by. A bundle has its files in the
// order of their paths, and one that is being written asks for them in that order: so
// all of them take one reading. For a file that has gone by the walk begins again.
type walk struct {
	name   string
	src    bundle.Source
	passed string // the path that was asked for last
	fault  error
	begun  int // how often the bundle was read from its beginning
}

// open returns the file at path, to be read before the next is asked for.
func (w *walk) open(path string) (io.ReadCloser, error) {
	if w.src == nil || path <= w.passed {
		w.Close()
		src, err := bundle.Open(w.name, func(f finding.Finding) {
			if f.Verdict == finding.Reject {
				w.fault = errors.Join(w.fault, fmt.Errorf("%s: %w", w.name, f.Err()))
			}
		})
		if err != nil {
			return nil, err
		}
		w.src, w.fault = src, nil
		w.begun++
	}
	w.passed = path
	for {
		e, err := w.src.Next()
		if err != nil || w.fault != nil {
			w.Close()
			switch {
			case w.fault != nil:
				return nil, w.fault
			case errors.Is(err, io.EOF):
				return nil, fmt.Errorf("%s: has no %s", w.name, path)
			}
			return nil, err
		}
		if e.Path == path {
			return io.NopCloser(e.Body), nil
		}
	}
}

// Close ends the walk; it may begin again.
func (w *walk) Close() error {
	if w.src == nil {
		return nil
	}
	err := w.src.Close()
	w.src = nil
	return err
}

// openInside returns one file of a bundle.
func openInside(name, path string) (io.ReadCloser, error) {
	w := &walk{name: name}
	body, err := w.open(path)
	if err != nil {
		return nil, err
	}
	return inside{body, w}, nil
}

type inside struct {
	io.Reader
	io.Closer
}
