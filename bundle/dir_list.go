package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
)

// item is what a directory holds under a path: a regular file, or the reason
// why it is left out.
type item struct {
	path  string
	info  fs.FileInfo
	fault string
}

// list returns what lies below root, in the order of a bundle. Directories are
// walked and not listed. A fault stands for too much to list.
func list(root *os.Root) ([]item, *Error, error) {
	var items []item
	for dirs := []string{"."}; len(dirs) > 0; {
		from := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		more, sub, err := listDir(root, from, limits.Files+1-len(items))
		if err != nil {
			return nil, nil, err
		}
		items = append(items, more...)
		dirs = append(dirs, sub...)
		switch {
		case len(items) > limits.Files:
			return nil, limitf("more than %d files", limits.Files), nil
		case len(dirs) > limits.Files:
			return nil, limitf("more than %d directories", limits.Files), nil
		}
	}
	slices.SortFunc(items, func(a, b item) int { return compare(a.path, b.path) })
	return items, nil, nil
}

// listDir returns at most most items of one directory, and the directories in
// it. A directory whose path is as long as a file's may be is an item: no file
// in it could have a path.
func listDir(root *os.Root, from string, most int) (items []item, dirs []string, err error) {
	f, err := regular.OpenDirIn(root, from)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, nil, err
	} else if !info.IsDir() {
		return nil, nil, fmt.Errorf("%s changed while the directory was being read", quote(from))
	}
	for len(items) < most && len(dirs) <= limits.Files {
		batch, err := f.ReadDir(256)
		for _, e := range batch {
			path := e.Name()
			if from != "." {
				path = from + "/" + path
			}
			if e.IsDir() && len(path) < limits.Path {
				dirs = append(dirs, path)
				continue
			}
			it, err := look(root, path)
			if unlessGone(err) != nil {
				return nil, nil, err
			}
			if err == nil {
				items = append(items, it)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return items, dirs, nil
}

// look returns the item at path.
func look(root *os.Root, path string) (item, error) {
	info, err := regular.LstatIn(root, path)
	if err != nil {
		return item{}, err
	}
	it := item{path: path, info: info}
	switch {
	case info.IsDir():
		it.fault = fmt.Sprintf("no file below this directory can have a path of at most %d bytes", limits.Path)
	default:
		if kind := regular.Kind(info.Mode()); kind != "" {
			it.fault = "the entry is " + kind + ", not a regular file"
		}
	}
	return it, nil
}
