// Package reverify verifies an archive of bundles again: all of them at once, under
// one trust root, with a record of what came out that is itself an AuditBundle.
package reverify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/verify"
)

// A File is a bundle of an archive.
type File struct {
	Path string // to open it
	Name string // below its archive, with slashes; what a record calls it
}

// A Skipped is what lies in an archive and is no bundle.
type Skipped struct {
	Name string `json:"file"`
	Why  string `json:"why"`

	Cause error `json:"-"` // nil unless the system did not let it be read
}

// A Listing is all that lies in an archive: each name stands once, in one of the two.
type Listing struct {
	Bundles []File    // sorted by name
	Skipped []Skipped // sorted by name
}

// Find lists everything below the directories dirs. A bundle is what is named like one,
// *.audit.tar.zst or *.release.tar.zst, or begins with a manifest: a tar under any name,
// or a directory. A link is not followed, unless it leads to a bundle of the archive,
// which is listed under its own name. Of several directories the last element of each
// stands before the names. A bundle itself stands for a directory that holds it alone.
// What ignore says is left out: the caller's own files, such as the trust root.
func Find(dirs []string, ignore func(path string) bool) (Listing, error) {
	w := walk{seen: map[string]bool{}, real: map[string]bool{}, ignore: ignore}
	for _, dir := range dirs {
		top, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return Listing{}, err
		}
		w.top, w.prefix = top, ""
		if len(dirs) > 1 {
			w.prefix = filepath.Base(dir) + "/"
		}
		err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if path == top && err == nil {
				yes := !d.IsDir()
				if !yes {
					yes, err = isBundleDir(path)
				}
				if yes {
					return w.alone(path, filepath.Base(dir), d)
				}
			}
			return w.visit(path, d, err)
		})
		if err != nil {
			return Listing{}, err
		}
	}
	w.resolve()
	slices.SortFunc(w.list.Bundles, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(w.list.Skipped, func(a, b Skipped) int { return strings.Compare(a.Name, b.Name) })
	return w.list, nil
}

type walk struct {
	top, prefix string
	ignore      func(string) bool
	seen        map[string]bool // names
	real        map[string]bool // paths of bundles, links resolved
	links       []File
	list        Listing
}

func (w *walk) name(path string) (string, error) {
	name, err := filepath.Rel(w.top, path)
	return Printable(w.prefix + filepath.ToSlash(name)), err
}

// alone takes in a bundle that stands for an archive, whatever its name: the caller says
// that it is one.
func (w *walk) alone(path, name string, d fs.DirEntry) error {
	if err := w.add(path, Printable(name)); err != nil {
		return err
	}
	if d.IsDir() {
		w.extensions(path, Printable(name))
		return fs.SkipDir
	}
	return nil
}

// extensions names what an unpacked bundle has under sig/ext/: anybody can put files
// there, the bundle does not vouch for them, and verifying it does not look into them.
func (w *walk) extensions(dir, name string) {
	filepath.WalkDir(filepath.Join(dir, filepath.FromSlash(bundle.SigExtDir)), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			w.skip(name+"/"+Printable(filepath.ToSlash(rel)), "in a bundle that does not vouch for it")
		}
		return nil
	})
}

func (w *walk) add(path, name string) error {
	if w.seen[name] {
		return fmt.Errorf("%s: two bundles of this name", name)
	}
	w.seen[name] = true
	w.list.Bundles = append(w.list.Bundles, File{path, name})
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		w.real[real] = true
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (w *walk) skip(name, why string) {
	w.list.Skipped = append(w.list.Skipped, Skipped{name, why, nil})
}

// unread passes over what could not be read; that may be for what it holds.
func (w *walk) unread(name string, err error) {
	s := Skipped{name, cause(err), nil}
	if _, ok := errors.AsType[syscall.Errno](err); ok || regular.Failed(err) {
		s.Cause = err
	}
	w.list.Skipped = append(w.list.Skipped, s)
}

// visit takes in one file or directory. What cannot be read is passed over by name: the
// rest of an archive is worth verifying.
func (w *walk) visit(path string, d fs.DirEntry, err error) error {
	if w.ignore(path) {
		if d != nil && d.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	name, bad := w.name(path)
	switch {
	case bad != nil:
		return bad
	case err != nil && path == w.top:
		return err
	case err != nil:
		w.unread(name, err)
		return nil
	case d.Type()&fs.ModeSymlink != 0:
		w.links = append(w.links, File{path, name})
		return nil
	case d.IsDir():
		if path == w.top {
			return nil
		}
		switch yes, err := isBundleDir(path); {
		case err != nil:
			w.unread(name, err)
			return fs.SkipDir
		case !yes:
			return nil
		}
		if err := w.add(path, name); err != nil {
			return err
		}
		w.extensions(path, name)
		return fs.SkipDir
	case !d.Type().IsRegular():
		w.skip(name, regular.Kind(d.Type()))
		return nil
	case isBundleName(d.Name()):
		return w.add(path, name)
	}
	_, err = verify.Peek(path)
	switch {
	case err == nil:
		return w.add(path, name)
	case errors.Is(err, verify.ErrNoBundle):
		w.skip(name, "no bundle")
	default:
		w.unread(name, err)
	}
	return nil
}

// resolve says of each link whether what it leads to is judged under its own name.
func (w *walk) resolve() {
	for _, l := range w.links {
		switch real, err := filepath.EvalSymlinks(l.Path); {
		case errors.Is(err, fs.ErrNotExist):
			w.skip(l.Name, "a link to nothing")
		case err != nil:
			w.unread(l.Name, err)
		case !w.real[real]:
			w.skip(l.Name, "a link to what is no bundle of the archive")
		}
	}
}

func isBundleName(name string) bool {
	return strings.HasSuffix(name, ".audit.tar.zst") || strings.HasSuffix(name, ".release.tar.zst")
}

func isBundleDir(path string) (bool, error) {
	info, err := os.Lstat(filepath.Join(path, bundle.ManifestPath))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && info.Mode().IsRegular(), err
}

// cause returns the text of what the system says, without the path, which is named beside.
func cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return Printable(err.Error())
}

// Printable returns a name as text that JSON can hold and a terminal shows: bytes that are
// no UTF-8, control and format characters, and \ itself are written as \x and \u escapes,
// so that no two names become one.
func Printable(name string) string {
	clean := func(r rune) bool { return r != '\\' && unicode.IsGraphic(r) }
	if utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !clean(r) }) {
		return name
	}
	q := strconv.Quote(name)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
