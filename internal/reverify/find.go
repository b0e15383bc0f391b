// Package reverify verifies an archive of bundles again: all of them at once, under
// one trust root, with a record of what came out that is itself an AuditBundle.
package reverify

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// A File is a bundle of an archive.
type File struct {
	Path string // to open it
	Name string // below its archive, with slashes; what a record calls it
}

// Find returns the bundles below the directories dirs, sorted by name: the files whose
// names end in .audit.tar.zst or .release.tar.zst. Links below them are not followed. Of
// several directories the last element of each stands before the names. A bundle itself
// stands for a directory that holds it alone.
func Find(dirs []string) ([]File, error) {
	var files []File
	seen := map[string]bool{}
	for _, dir := range dirs {
		top, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !d.Type().IsRegular() || !isBundle(d.Name()) {
				return nil
			}
			name, err := filepath.Rel(top, path)
			if err != nil {
				return err
			}
			if path == top { // a bundle itself is an archive of one
				name = filepath.Base(dir)
			}
			if name = filepath.ToSlash(name); len(dirs) > 1 && path != top {
				name = filepath.Base(dir) + "/" + name
			}
			if seen[name] {
				return fmt.Errorf("%s: two bundles of this name", name)
			}
			seen[name] = true
			files = append(files, File{path, name})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

func isBundle(name string) bool {
	return strings.HasSuffix(name, ".audit.tar.zst") || strings.HasSuffix(name, ".release.tar.zst")
}
