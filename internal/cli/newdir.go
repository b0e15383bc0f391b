package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/internal/durable"
)

// writeNewDir writes files, by their paths with slashes, into the new directory dir.
// It gets its name when they are all there: half of a revocation list's neighbours
// would be trusted without it.
func writeNewDir(dir string, files map[string][]byte) error {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return inTheWay(dir)
	}
	d, err := durable.NewDir(dir)
	if err != nil {
		return err
	}
	defer d.Discard()
	for _, name := range sortedPaths(files) {
		file := filepath.Join(d.Path(), filepath.FromSlash(name))
		if err := durable.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := durable.WriteFile(file, files[name], 0o644, false); err != nil {
			return err
		}
	}
	if err := d.Commit(); errors.Is(err, fs.ErrExist) {
		return inTheWay(dir)
	} else if err != nil {
		return err
	}
	return nil
}
