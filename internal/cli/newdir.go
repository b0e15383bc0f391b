package cli

import (
	"errors"
	"fmt"
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
	if err := durable.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".relseal-*.tmp")
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	defer os.RemoveAll(temp)
	if err := os.Chmod(temp, 0o755); err != nil {
		return err
	}
	for _, name := range sortedPaths(files) {
		file := filepath.Join(temp, filepath.FromSlash(name))
		if err := durable.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := durable.WriteFile(file, files[name], 0o644, false); err != nil {
			return err
		}
	}
	if err := os.Rename(temp, dir); errors.Is(err, fs.ErrExist) {
		return inTheWay(dir)
	} else if err != nil {
		return err
	}
	return nil
}
