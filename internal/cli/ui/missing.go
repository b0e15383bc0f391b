package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/verify"
)

// missingHint says of a path that is not there which name beside it may be meant, or
// that its directory is not there either; "" if err is about something else.
func missingHint(err error) string {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(path.Err, fs.ErrNotExist) {
		return ""
	}
	if strings.HasSuffix(filepath.ToSlash(path.Path), "/"+bundle.TrailPath) {
		return "a run directory has it, such as .relseal/runs/RUN of a project that was cut"
	}
	dir, base := filepath.Dir(path.Path), filepath.Base(path.Path)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "there is no directory " + dir
	}
	if path.Op == "create" { // a new name
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return document.Suggest(base, names)
}

// ShelfHint says how to verify what is in a directory that was given for a bundle; ""
// if it is one, or holds none.
func ShelfHint(name string) string {
	entries, err := os.ReadDir(name)
	if err != nil {
		return ""
	}
	if _, err := verify.Peek(name); !errors.Is(err, verify.ErrNoBundle) {
		return ""
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".tar.zst") {
			return fmt.Sprintf("%s is a directory of bundles: name one, or %s/*.tar.zst", name, hint.Quote(filepath.Clean(name)))
		}
	}
	return ""
}
