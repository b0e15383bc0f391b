package bundle

import (
	"errors"
	"fmt"
	"io"
)

var errSealed = errors.New("the bundle is sealed: nothing can be added")

// tarWriter writes a canonical tar. It moves one way: files, then the end, and
// after the end nothing.
type tarWriter struct {
	w     io.Writer
	last  string
	ended bool
	err   error // the first one; it stays
}

// add writes a file with the size bytes that r yields, no more and no fewer.
// Files come in the order of a bundle.
func (t *tarWriter) add(path string, size int64, r io.Reader) error {
	switch fault := pathFault(path); {
	case t.err != nil:
		return t.err
	case t.ended:
		return errSealed
	case fault != "":
		return fmt.Errorf("path %s: %s", quote(path), fault)
	case size < 0 || size > sizeLimit(path):
		return fmt.Errorf("%s: %d bytes, the limit is %d", path, size, sizeLimit(path))
	case t.last != "" && compare(t.last, path) >= 0:
		return fmt.Errorf("%s: comes after %s", path, t.last)
	}
	t.last = path
	h := header(path, size)
	t.write(h[:])
	t.copy(path, size, r)
	t.write(make([]byte, padding(size)))
	return t.err
}

// copy writes size bytes and makes sure that there are no more.
func (t *tarWriter) copy(path string, size int64, r io.Reader) {
	if t.err != nil {
		return
	}
	n, err := io.Copy(t.w, io.LimitReader(r, size))
	if err == nil && n < size {
		err = fmt.Errorf("changed while it was being sealed: %d bytes, before %d", n, size)
	}
	if err == nil {
		var more [1]byte
		switch n, readErr := io.ReadFull(r, more[:]); {
		case n > 0:
			err = fmt.Errorf("changed while it was being sealed: more than %d bytes", size)
		case readErr != io.EOF:
			err = readErr
		}
	}
	if err != nil {
		t.err = fmt.Errorf("%s: %w", path, err)
	}
}

// end writes the two zero blocks.
func (t *tarWriter) end() error {
	if t.err == nil && t.ended {
		return errSealed
	}
	t.ended = true
	t.write(make([]byte, 2*blockSize))
	return t.err
}

func (t *tarWriter) write(p []byte) {
	if t.err == nil {
		_, t.err = t.w.Write(p)
	}
}
