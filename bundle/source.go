package bundle

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/internal/finding"
	"github.com/relseal/relseal/internal/limits"
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
	f, _, err := openRegular(name, info)
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

// openRegular opens the regular file that os.Lstat found under name. The kind is
// looked at first, since opening a FIFO or a device can block or have effects,
// and again afterwards, in case another file took its place.
func openRegular(name string, info fs.FileInfo) (*os.File, fs.FileInfo, error) {
	if kind := Kind(info.Mode()); kind != "" {
		return nil, nil, fmt.Errorf("%s is %s, not a regular file", name, kind)
	}
	f, err := os.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, err
	}
	now, err := f.Stat()
	if err == nil && !os.SameFile(info, now) {
		err = fmt.Errorf("%s was replaced while it was being opened", name)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, now, nil
}

// Kind names what is not a regular file; "" is for one that is.
func Kind(mode fs.FileMode) string {
	switch mode.Type() {
	case 0:
		return ""
	case fs.ModeDir:
		return "a directory"
	case fs.ModeSymlink:
		return "a symbolic link"
	case fs.ModeNamedPipe:
		return "a FIFO"
	case fs.ModeSocket:
		return "a socket"
	case fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
		return "a device"
	default:
		return "a special file"
	}
}
