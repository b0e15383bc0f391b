package pack

import (
	"os"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/regular"
)

// A freshDir is a directory that is being filled, and appears whole.
type freshDir struct {
	*durable.Dir
	root *os.Root
}

// newFreshDir starts the directory path, which must not exist.
func newFreshDir(path string) (*freshDir, error) {
	d, err := durable.NewDir(path)
	if err != nil {
		return nil, err
	}
	root, err := regular.OpenRoot(d.Path())
	if err != nil {
		d.Discard()
		return nil, err
	}
	return &freshDir{d, root}, nil
}

// commit gives the directory its name. Its files are on disk already.
func (d *freshDir) commit() error {
	d.root.Close() // Windows renames no directory that is open
	return d.Commit()
}

// discard removes what was written; after commit it does nothing.
func (d *freshDir) discard() {
	d.root.Close()
	d.Discard()
}
