package bundle

import (
	"io"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
)

// An Entry is one file of a bundle.
type Entry struct {
	Path string // passes CheckPath; unique, ignoring case
	Size int64  // bytes of Body
	// Body yields the content until the next call of Next. An error that wraps
	// ErrBroken says that the content is incomplete and that the finding for it
	// has been reported.
	Body io.Reader
}

// A Source yields the files of a bundle: manifest.json, then sig/ by path bytes,
// then the rest by path bytes. The three forms of a bundle give the same entries
// and the same findings. What is wrong with a single file (its path, its place,
// its kind, its size) is reported; it is left out, unless it only comes out of
// order, and reading goes on.
type Source interface {
	// Next returns the next file, or io.EOF after the last. Another error ends
	// reading: one that wraps ErrBroken has been reported as a finding, any
	// other is of input and output and has not. It stays the same from then on.
	Next() (*Entry, error)
	Close() error
}

// Open opens the bundle called name: a directory, a tar.zst or a tar, told apart
// by content. What is wrong with it goes to report as it is found. An error
// means that there is nothing to read: no such file, no permission, or a
// special file, which is refused without waiting for anything.
func Open(name string, report func(finding.Finding)) (Source, error) {
	return OpenMax(name, limits.Bundle, report)
}

// OpenMax is Open with another limit than limits.Bundle for the bytes of all
// files together.
func OpenMax(name string, maxBytes int64, report func(finding.Finding)) (Source, error) {
	name, err := filepath.EvalSymlinks(name) // of the name that the caller chose; in a bundle links are findings
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openDir(name, info, maxBytes, report)
	}
	f, err := regular.OpenSelf(name)
	if err != nil {
		return nil, err
	}
	return newStream(f, f.Close, maxBytes, report), nil
}

// NewReader reads the bundle, tar.zst or tar, that r yields: one inside another,
// for instance. Closing it does not close r.
func NewReader(r io.Reader, report func(finding.Finding)) Source {
	return NewReaderMax(r, limits.Bundle, report)
}

// NewReaderMax is NewReader with another limit than limits.Bundle.
func NewReaderMax(r io.Reader, maxBytes int64, report func(finding.Finding)) Source {
	return newStream(r, nil, maxBytes, report)
}
