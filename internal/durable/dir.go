package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Dir is a directory that is being filled: beside its destination, until Commit
// gives it its name.
type Dir struct {
	path, temp string
	lock       *os.File // of temp; nil where a directory that is open cannot be renamed
	done       bool
}

// NewDir starts the directory path, which must not exist, and makes the parents that
// it lacks. Call Discard when done, whether or not Commit succeeded.
func NewDir(path string) (*Dir, error) {
	path = filepath.Clean(path)
	if err := absent(path); err != nil {
		return nil, err
	}
	parent := filepath.Dir(path)
	if err := MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	Sweep(parent)
	return newDir(path, parent)
}

func newDir(path, parent string) (*Dir, error) {
	for {
		d := &Dir{path: path, temp: tempName(parent)}
		if err := os.Mkdir(d.temp, 0o755); err != nil {
			return nil, at("mkdir", path, err)
		}
		f, err := openDir(d.temp)
		switch {
		case errors.Is(err, fs.ErrNotExist): // swept
			continue
		case err != nil:
			os.Remove(d.temp)
			return nil, at("mkdir", path, err)
		case f == nil || mine(f):
			d.lock = f
			return d, nil
		}
		f.Close()
	}
}

// Path returns where the directory is filled.
func (d *Dir) Path() string { return d.temp }

// Commit gives the directory its name. Its files are on disk already.
func (d *Dir) Commit() error {
	if err := syncTree(d.temp); err != nil {
		return at("sync", d.path, err)
	}
	if err := absent(d.path); err != nil {
		return err
	}
	// What came to be there since is at most an empty directory: rename(2) takes no
	// other one's place.
	if err := os.Rename(d.temp, d.path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = fs.ErrExist
		}
		return at("mkdir", d.path, err)
	}
	// The directory is real from here, whole under its name.
	d.done = true
	d.close()
	return at("sync", d.path, syncDir(filepath.Dir(d.path)))
}

// MoveOut gives a file of the directory, which is on disk, the name path beside the
// directory; unless replace, only if nothing has it.
func (d *Dir) MoveOut(name, path string, replace bool) error {
	give := linkNew
	if replace {
		give = os.Rename
	}
	if err := give(filepath.Join(d.temp, name), path); err != nil {
		return at("create", path, err)
	}
	return at("sync", path, syncDir(filepath.Dir(path)))
}

// Discard removes what was written; after Commit it does nothing.
func (d *Dir) Discard() {
	if d.done {
		return
	}
	d.done = true
	os.RemoveAll(d.temp)
	d.close()
}

func (d *Dir) close() {
	if d.lock != nil {
		d.lock.Close()
	}
}

// syncTree makes the entries of a directory and of all below it durable.
func syncTree(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			dirs = append(dirs, name)
		}
		return err
	})
	for _, name := range slices.Backward(dirs) {
		if err == nil {
			err = syncDir(name)
		}
	}
	return err
}

func absent(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: path, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist): // a parent is no directory, say
		return at("mkdir", path, err)
	}
	return nil
}

// RemoveAll removes a directory and everything in it. Whoever looks finds all of it or
// nothing, after a crash too; what a killed process leaves of it, [Sweep] removes.
func RemoveAll(path string) error {
	path = filepath.Clean(path)
	temp := tempName(filepath.Dir(path))
	if err := os.Rename(path, temp); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return at("remove", path, err)
	}
	return at("remove", path, os.RemoveAll(temp))
}

// Vacant returns an error unless a directory is absent or empty, after [Sweep].
func Vacant(dir string) (there bool, err error) {
	Sweep(filepath.Dir(filepath.Clean(dir)))
	Sweep(dir)
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) == 0:
		return true, nil
	case err == nil:
		return true, &fs.PathError{Op: "mkdir", Path: dir, Err: ErrNotEmpty}
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	if info, e := os.Stat(dir); e == nil && !info.IsDir() {
		return true, &fs.PathError{Op: "mkdir", Path: dir, Err: errNotDir}
	}
	return true, at("mkdir", dir, err)
}

// ErrNotEmpty reports a directory that was to be new. It is an fs.ErrExist.
var ErrNotEmpty error = exist("exists and is not empty")

var errNotDir = exist("exists and is not a directory")

// exist is an fs.ErrExist with a text of its own.
type exist string

func (e exist) Error() string        { return string(e) }
func (e exist) Is(target error) bool { return target == fs.ErrExist }

// Fill makes the directory path, which is absent or empty, with the files that fill
// puts into the directory that it is given; last is the path of one of them. If path
// was absent, it appears whole; else the files appear in it, last after all others.
func Fill(path, last string, fill func(dir string) error) error {
	there, err := Vacant(path)
	if err != nil {
		return err
	}
	if !there {
		d, err := NewDir(path)
		if err != nil {
			return err
		}
		defer d.Discard()
		if err := d.filled(fill); err != nil {
			return err
		}
		return d.Commit()
	}
	d, err := newDir(path, path) // the directory may be a mount point, or somebody's current one
	if err != nil {
		return err
	}
	defer d.Discard()
	if err := d.filled(fill); err != nil {
		return err
	}
	return d.spread(last)
}

// filled calls fill. Its errors name where a file would have been.
func (d *Dir) filled(fill func(dir string) error) error {
	err := fill(d.temp)
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		if rest, below := strings.CutPrefix(pe.Path, d.temp); below {
			pe.Path = d.path + rest
		}
	}
	return err
}

// spread moves the files of d into the directory that d is in.
func (d *Dir) spread(last string) error {
	var names []string
	err := filepath.WalkDir(d.temp, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(d.temp, name)
		if rel = filepath.ToSlash(rel); rel != last {
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		return at("mkdir", d.path, err)
	}
	var members []Member
	for _, name := range append(names, last) {
		data, err := os.ReadFile(filepath.Join(d.temp, filepath.FromSlash(name)))
		if err != nil {
			return at("mkdir", d.path, err)
		}
		members = append(members, Member{name, data})
	}
	group, err := Together(d.path, members)
	if err != nil {
		return at("mkdir", d.path, err)
	}
	for _, m := range members {
		name := m.Name
		to := filepath.Join(d.path, filepath.FromSlash(name))
		if err = MkdirAll(filepath.Dir(to), 0o755); err == nil {
			err = linkNew(filepath.Join(d.temp, filepath.FromSlash(name)), to)
		}
		if err == nil {
			err = syncDir(filepath.Dir(to))
		}
		if err != nil {
			group.Undo()
			return at("create", to, err)
		}
	}
	group.Done()
	return nil
}
