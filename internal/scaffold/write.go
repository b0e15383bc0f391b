package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/regular"
)

// Written says what Write did.
type Written struct {
	Files []string // written, as slash paths below the directory
	Kept  []string // were there and stay
	Lines []string // of .gitignore, that the one which stays lacks
}

// Write writes all files below dir or none. Where one exists that is not to be
// kept, the error names all of those.
func Write(dir string, list []File) (Written, error) {
	var w Written
	var todo []File
	var there []error
	for _, f := range list {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		_, err := os.Lstat(name)
		switch {
		case err != nil:
			todo = append(todo, f) // or else writing it will say why not
		case f.Keep:
			w.Kept = append(w.Kept, f.Path)
			w.Lines = append(w.Lines, missing(name, f.Data)...)
		default:
			there = append(there, fmt.Errorf("%s: %w", name, fs.ErrExist))
		}
	}
	if len(there) > 0 {
		return Written{}, hint.With(errors.Join(there...), "nothing was written; files that exist are never changed: move them away, or choose another directory")
	}
	var undo []string // what was made, files and directories
	for _, f := range todo {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		made, err := makeDir(filepath.Dir(name))
		undo = append(undo, made...)
		if err == nil {
			err = durable.WriteFile(name, f.Data, 0o644, false)
		}
		if err != nil {
			for _, name := range slices.Backward(undo) {
				os.Remove(name)
			}
			return Written{}, err
		}
		undo = append(undo, name)
		w.Files = append(w.Files, f.Path)
	}
	return w, nil
}

// maxProjectFile bounds a file of the project that is read for what it says.
const maxProjectFile = 16 << 20

// makeDir makes a directory and those above it, and returns the ones that were
// not there, from the top down.
func makeDir(dir string) (made []string, err error) {
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Lstat(d); !errors.Is(err, fs.ErrNotExist) || d == filepath.Dir(d) {
			break
		}
		made = append([]string{d}, made...)
	}
	return made, durable.MkdirAll(dir, 0o755)
}

// missing returns the lines of want, comments apart, that the file lacks.
func missing(name string, want []byte) (lines []string) {
	has, err := regular.ReadFile(name, maxProjectFile)
	if err != nil {
		has = nil // what cannot be read lacks everything
	}
	for line := range strings.Lines(string(want)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if !slices.ContainsFunc(bytes.Split(has, []byte("\n")), func(l []byte) bool { return string(bytes.TrimSpace(l)) == line }) {
			lines = append(lines, line)
		}
	}
	return lines
}
