// Package regular opens paths that others may have made.
//
// Under such a path can lie anything: a FIFO that nobody ever writes, a device whose
// opening has effects, a link where a file was a moment ago. Nothing here waits for
// somebody else, and what is not a regular file is refused, with the path and what
// it is. Every command reads through this package; internal/imports holds that.
//
// What is read is whole or an error: a file that ends before its size does is a
// fault of the medium ([ErrShort]) and never a shorter file.
//
// Errors are [*fs.PathError]s.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// A KindError says that a path names something else than a regular file.
type KindError struct{ Kind string } // with its article: "a FIFO"

func (e *KindError) Error() string { return "is " + e.Kind + ", not a regular file" }

// ErrShort says that reading ended before the size that the system gives for the file.
var ErrShort = errors.New("reading ended before the end of the file")

// A File is a regular file that is open for reading.
type File struct {
	*os.File
	at   int64 // how far it was read, -1 where its size says nothing
	path string
}

// Open opens the regular file that path names. Links are followed: whoever gave the
// path may mean one.
func Open(path string) (*File, error) {
	return open(path, os.Stat, func(flag int) (*os.File, error) { return os.OpenFile(path, flag, 0) })
}

// OpenSelf is Open of the file itself: a link is refused.
func OpenSelf(path string) (*File, error) {
	return open(path, os.Lstat, func(flag int) (*os.File, error) { return os.OpenFile(path, flag|noFollow, 0) })
}

// OpenIn is [Open] below root. Links that stay in root are followed.
func OpenIn(root *os.Root, name string) (*File, error) {
	return open(name, root.Stat, func(flag int) (*os.File, error) { return root.OpenFile(name, flag, 0) })
}

// OpenRoot is os.OpenRoot of what is a directory.
func OpenRoot(path string) (*os.Root, error) {
	if err := injected("open", path); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("is not a directory")}
	}
	return os.OpenRoot(path)
}

// Stat is os.Stat.
func Stat(path string) (fs.FileInfo, error) {
	if err := injected("stat", path); err != nil {
		return nil, err
	}
	return os.Stat(path)
}

// ReadDir is os.ReadDir.
func ReadDir(path string) ([]fs.DirEntry, error) {
	if err := injected("list", path); err != nil {
		return nil, err
	}
	return os.ReadDir(path)
}

// Failed reports whether err is of the medium, or of this process, which may open or
// hold no more: it says nothing of the file that was asked for.
func Failed(err error) bool {
	for _, cause := range []error{ErrShort, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ESTALE} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

// OpenView opens a file of the system, such as one of /proc or /sys, which is made
// when it is read: its size says nothing.
func OpenView(path string) (*File, error) {
	f, err := Open(path)
	if err == nil {
		f.at = -1
	}
	return f, err
}

// OpenUpdate opens the regular file that path names for reading and writing.
func OpenUpdate(path string) (*os.File, error) {
	f, err := open(path, os.Stat, func(flag int) (*os.File, error) { return os.OpenFile(path, flag|os.O_RDWR, 0) })
	if err != nil {
		return nil, err
	}
	return f.File, nil
}

// open asks what a path is before it is opened, since opening a device can have
// effects, and afterwards, since it may be something else by then.
func open(path string, stat func(string) (fs.FileInfo, error), do func(flag int) (*os.File, error)) (*File, error) {
	if err := injected("open", path); err != nil {
		return nil, err
	}
	info, err := stat(path)
	if err == nil {
		err = check(path, info)
	}
	if err != nil {
		return nil, err
	}
	f, err := do(os.O_RDONLY | noWait)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = check(path, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{f, 0, path}, nil
}

func check(path string, info fs.FileInfo) error {
	if kind := Kind(info.Mode()); kind != "" {
		return &fs.PathError{Op: "open", Path: path, Err: &KindError{kind}}
	}
	return nil
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

// Read implements io.Reader.
func (f *File) Read(p []byte) (int, error) {
	if err := injected("read", f.path); err != nil {
		return 0, err
	}
	n, err := f.File.Read(p)
	if f.at < 0 {
		return n, err
	}
	f.at += int64(n)
	if err == io.EOF {
		if info, e := f.Stat(); e != nil {
			err = e
		} else if info.Size() > f.at { // or it grew just now
			if n, err = f.File.Read(p); err == io.EOF {
				err = &fs.PathError{Op: "read", Path: f.path, Err: ErrShort}
			}
			f.at += int64(n)
		}
	}
	return n, err
}

// WriteTo implements io.WriterTo by way of Read.
func (f *File) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{f}) }

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if err := injected("read", f.path); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// Seek implements io.Seeker.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	at, err := f.File.Seek(offset, whence)
	if f.at >= 0 {
		f.at = at
	}
	return at, err
}

// ReadFile returns what the regular file at path holds, at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(path, f, limit)
}

// ReadAll reads r, which errors call name, to its end: at most limit bytes.
func ReadAll(name string, r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: more than %d bytes", name, limit)
	}
	return data, nil
}
