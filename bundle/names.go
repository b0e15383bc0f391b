package bundle

import (
	"strings"

	"github.com/relseal/relseal/internal/limits"
)

// names are the paths of one bundle. It holds them apart on every file system:
// none twice, none that differs from another in case alone, directories
// included, and no file where another path needs a directory. The zero value is
// empty.
type names struct {
	files map[string]string // lower-case path: the path as it is spelled
	dirs  map[string]string // lower-case directory: the same
}

// add takes path in. It returns what is wrong with it, or nil.
func (n *names) add(path string) *Error {
	if fault := pathFault(path); fault != "" {
		return formatf("%s", fault).at(path)
	}
	if n.files == nil {
		n.files, n.dirs = map[string]string{}, map[string]string{}
	}
	lower := strings.ToLower(path)
	if was, ok := n.files[lower]; ok {
		if was == path {
			return formatf("the path occurs twice").at(path)
		}
		return formatf("the path differs from %s in case alone", was).at(path)
	}
	if was, ok := n.dirs[lower]; ok {
		return formatf("the path is a file, and the directory %s of another", was).at(path)
	}
	if fault := n.addDirs(path, lower); fault != nil {
		return fault.at(path)
	}
	n.files[lower] = path
	return nil
}

// addDirs takes in the directories above path, the nearest first.
func (n *names) addDirs(path, lower string) *Error {
	for i := strings.LastIndexByte(path, '/'); i > 0; i = strings.LastIndexByte(path[:i], '/') {
		if was, ok := n.files[lower[:i]]; ok {
			return formatf("the path lies below %s, which is a file", was)
		}
		was, ok := n.dirs[lower[:i]]
		if ok && was != path[:i] {
			return formatf("the directory %s differs from %s in case alone", path[:i], was)
		}
		if ok {
			return nil // and so are those above it
		}
		if len(n.dirs) >= limits.Files {
			return limitf("more than %d directories", limits.Files)
		}
		n.dirs[lower[:i]] = path[:i]
	}
	return nil
}
