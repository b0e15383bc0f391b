// Package durable writes files and directories that are whole or absent, and takes
// locks across processes.
//
// A file is written without a name where the system can do that, else beside its
// destination under a name that nobody can guess, synced, given its name in one step,
// and the directory is synced after that. Whoever looks at the destination, after a
// crash too, finds the old state or the whole new file. Without replace, of several
// writers exactly one succeeds and the others get [fs.ErrExist]. A directory is filled
// under such a name ([NewDir]), and several files appear together ([Together]).
//
// What a killed process leaves is removed by the next one that makes something in the
// same directory ([Sweep]): its maker holds a lock on it for as long as it lives.
//
// Errors are [*fs.PathError]s that name the destination, never the temporary
// file.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile writes data to path as [Create] and [File.Commit] do.
func WriteFile(path string, data []byte, perm fs.FileMode, replace bool) error {
	f, err := Create(path, perm, replace)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Commit()
}

// A File is being written. It is real only once Commit has returned nil.
type File struct {
	path    string
	temp    string // "" while it has no name
	f       *os.File
	replace bool
	err     error // of the first failed write: what is on disk is not what was written
	done    bool
}

// withoutName is unnamed; tests let it be a file system that cannot do that.
var withoutName = unnamed

// Create starts a file at path with mode perm, before the umask. Unless replace,
// a path that exists is refused at once (fs.ErrExist); Commit asks again. With it
// the path has to be [Replaceable]. Call
// Discard when done, whether or not Commit succeeded.
func Create(path string, perm fs.FileMode, replace bool) (*File, error) {
	if !replace {
		if _, err := os.Lstat(path); err == nil {
			return nil, &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
		}
	}
	if replace {
		if err := Replaceable(path); err != nil {
			return nil, err
		}
	}
	dir := filepath.Dir(path)
	sweepOnce(dir)
	if f := withoutName(dir, perm); f != nil {
		return &File{path: path, f: f, replace: replace}, nil
	}
	f, err := named(dir, perm)
	if err != nil {
		return nil, at("create", path, err)
	}
	return &File{path: path, temp: f.Name(), f: f, replace: replace}, nil
}

// Write implements io.Writer. After an error the file can only be discarded.
func (f *File) Write(p []byte) (int, error) {
	switch {
	case f.done:
		return 0, at("write", f.path, fs.ErrClosed)
	case f.err != nil:
		return 0, f.err
	}
	n, err := f.f.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	f.err = at("write", f.path, err)
	return n, f.err
}

// Staged returns the path under which what was written so far can be read until
// Commit or Discard. Nobody may rely on it after that.
func (f *File) Staged() (string, error) {
	if f.temp == "" {
		temp := tempName(filepath.Dir(f.path))
		if err := name(f.f, temp); err != nil {
			return "", at("create", f.path, err)
		}
		f.temp = temp
	}
	return f.temp, nil
}

// Commit makes the file real, or fails and leaves nothing behind. One failure
// leaves the file in place: when the directory cannot be synced the new file is
// there and whole, but a crash may still undo it.
func (f *File) Commit() error {
	if f.done {
		return at("commit", f.path, fs.ErrClosed)
	}
	if f.err != nil {
		f.Discard()
		return f.err
	}
	if err := f.f.Sync(); err != nil {
		f.Discard()
		return at("write", f.path, err)
	}
	if err := f.publish(); err != nil {
		f.Discard()
		return at("create", f.path, err)
	}
	// The file is real from here: whole under its name, also after a crash of
	// this process; after one of the machine once the directory is synced.
	f.done = true
	f.f.Close() // what could fail was synced; with it ends the lock on the temporary name
	return at("sync", f.path, syncDir(filepath.Dir(f.path)))
}

// publish gives the file its name.
func (f *File) publish() error {
	if f.temp == "" && !f.replace {
		return name(f.f, f.path)
	}
	temp, err := f.Staged()
	if err != nil {
		return err
	}
	closeToRename(f.f)
	if f.replace {
		return os.Rename(temp, f.path)
	}
	return linkNew(temp, f.path)
}

// Discard removes what was written. After Commit it does nothing.
func (f *File) Discard() {
	if f.done {
		return
	}
	f.done = true
	if f.temp != "" {
		closeToRename(f.f)
		os.Remove(f.temp)
	}
	f.f.Close()
}

// at returns err as an error of op on path. What the os package says of the
// temporary file, or of two files, is reduced to the fault.
func at(op, path string, err error) error {
	if err == nil {
		return nil
	}
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		err = pathErr.Err
	case errors.As(err, &linkErr):
		err = linkErr.Err
	}
	if errors.Is(err, fs.ErrExist) {
		err = fs.ErrExist // one text on every system
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// MkdirAll makes the directory path and the parents it lacks, and syncs each
// directory that got a new entry. A directory that exists is left as it is.
func MkdirAll(path string, perm fs.FileMode) error {
	path = filepath.Clean(path)
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: path, Err: fmt.Errorf("%w and is not a directory", fs.ErrExist)}
	case !errors.Is(err, fs.ErrNotExist):
		return at("mkdir", path, err)
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return at("mkdir", path, err)
	}
	return at("sync", path, syncDir(parent))
}
