package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
)

// WriteNewDir writes files, by their paths with slashes, into the new directory dir.
// It gets its name when they are all there: half of a revocation list's neighbours
// would be trusted without it.
func WriteNewDir(dir string, files map[string][]byte) error {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return InTheWay(dir)
	}
	d, err := durable.NewDir(dir)
	if err != nil {
		return err
	}
	defer d.Discard()
	for _, name := range SortedPaths(files) {
		file := filepath.Join(d.Path(), filepath.FromSlash(name))
		if err := durable.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := durable.WriteFile(file, files[name], 0o644, false); err != nil {
			return err
		}
	}
	if err := d.Commit(); errors.Is(err, fs.ErrExist) {
		return InTheWay(dir)
	} else if err != nil {
		return err
	}
	return nil
}

// InTheWay is the error about a directory that must not be there.
func InTheWay(dir string) error {
	return hint.With(fmt.Errorf("%s: %w", dir, fs.ErrExist), "name a directory that does not exist yet")
}

// SortedPaths returns the names of files in their order.
func SortedPaths(files map[string][]byte) []string { return slices.Sorted(maps.Keys(files)) }
