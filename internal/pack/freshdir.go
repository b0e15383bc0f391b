package pack

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/regular"
)

// A freshDir is a directory that is being filled: beside its destination, under
// a name that nobody can guess, until it is renamed there whole.
type freshDir struct {
	path, temp string
	root       *os.Root
}

// newFreshDir starts the directory path, which must not exist.
func newFreshDir(path string) (*freshDir, error) {
	path = filepath.Clean(path)
	if err := absent(path); err != nil {
		return nil, err
	}
	if err := durable.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	temp := filepath.Join(filepath.Dir(path), ".relseal-"+rand.Text()+".tmp")
	if err := os.Mkdir(temp, 0o755); err != nil {
		return nil, &fs.PathError{Op: "mkdir", Path: path, Err: errors.Unwrap(err)}
	}
	root, err := regular.OpenRoot(temp)
	if err != nil {
		os.Remove(temp)
		return nil, err
	}
	return &freshDir{path, temp, root}, nil
}

func absent(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: path, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return &fs.PathError{Op: "mkdir", Path: path, Err: errors.Unwrap(err)}
	}
	return nil
}

// commit gives the directory its name. Its files are on disk already.
func (d *freshDir) commit() error {
	var dirs []string
	err := fs.WalkDir(d.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			dirs = append(dirs, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Backward(dirs) {
		if err := syncDir(filepath.Join(d.temp, name)); err != nil {
			return err
		}
	}
	d.root.Close() // Windows renames no directory that is open
	if err := absent(d.path); err != nil {
		return err
	}
	// What came to be there since is at most an empty directory: rename(2) takes no
	// other one's place.
	if err := os.Rename(d.temp, d.path); err != nil {
		return &fs.PathError{Op: "mkdir", Path: d.path, Err: errors.Unwrap(err)}
	}
	// The directory is real from here, whole under its name.
	return syncDir(filepath.Dir(d.path))
}

// discard removes what was written; after commit it does nothing.
func (d *freshDir) discard() {
	d.root.Close()
	os.RemoveAll(d.temp)
}

// syncDir makes the entries of a directory durable, where the system can.
func syncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
