package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/regular"
)

// expand returns the files below root that the patterns name, sorted, each
// once. A pattern is a slash-separated path whose segments are patterns of
// [path.Match]: a star stands for characters of one segment, a leading dot
// included, and never for a slash. A directory that matches is no input.
//
// What matches nothing is an error, and so is what may lie behind a symbolic
// link that leaves root.
func expand(root *os.Root, patterns []string) ([]string, error) {
	var all []string
	for _, p := range patterns {
		names, err := match(root, p)
		if fault := unread("input "+p, err); fault != nil {
			return nil, fault
		}
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", p, reason(err))
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("input %s matches no file", p)
		}
		all = append(all, names...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func match(root *os.Root, pattern string) ([]string, error) {
	if err := checkName(pattern); err != nil || strings.Contains(pattern, `\`) {
		return nil, errors.New("not a path below the project")
	}
	segments := strings.Split(pattern, "/")
	if strings.Contains(pattern, "**") {
		return nil, errors.New("** would match no deeper than *; name one level at a time: *.go, */*.go")
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, err
	}
	if !cards.IsGlob(pattern) {
		return []string{pattern}, nil // hashing it says what is wrong with it
	}
	found := []string{"."}
	for _, segment := range segments {
		var next []string
		for _, dir := range found {
			names, err := list(root, dir, segment)
			if err != nil {
				return nil, err
			}
			next = append(next, names...)
		}
		found = next
	}
	return keepFiles(root, found)
}

// list returns the paths in dir, if it is a directory, whose name segment
// matches; whether a name without pattern exists is found out later.
func list(root *os.Root, dir, segment string) ([]string, error) {
	if !cards.IsGlob(segment) {
		return []string{path.Join(dir, segment)}, nil
	}
	info, err := root.Stat(dir)
	if missing(err) || err == nil && !info.IsDir() {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, reason(err))
	}
	d, err := regular.OpenDirIn(root, dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if ok, _ := path.Match(segment, e.Name()); !ok {
			continue
		}
		if !canon.Printable(e.Name()) {
			return nil, fmt.Errorf("file name %+q has a character outside U+0020 to U+007E", e.Name())
		}
		names = append(names, path.Join(dir, e.Name()))
	}
	return names, nil
}

func keepFiles(root *os.Root, names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		info, err := root.Stat(name)
		switch {
		case missing(err):
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, reason(err))
		case !info.IsDir():
			files = append(files, name)
		}
	}
	return files, nil
}

// missing reports whether err says that there is no such file; a path through
// what is a file and no directory is missing too.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// hashFiles returns the files by digest, in the given order. At the first fault
// it returns those before it. Inputs alone may be symbolic links.
func hashFiles(ctx context.Context, root *os.Root, kind string, names []string) ([]Artifact, error) {
	open := opener(regular.OpenSelfIn)
	if kind == "input" {
		open = regular.OpenIn
	}
	var files []Artifact
	for _, name := range names {
		a, err := hashFile(ctx, root, open, name)
		if errors.Is(err, errAborted) {
			return files, err
		}
		if missing(err) {
			return files, fmt.Errorf("%s %s does not exist", kind, name)
		}
		if fault := unread(kind+" "+name, err); fault != nil {
			return files, fault
		}
		if err != nil {
			return files, fmt.Errorf("%s %s: %w", kind, name, reason(err))
		}
		files = append(files, a)
	}
	return files, nil
}

// A mediumError says that the system could not read a file that is there, write one
// or start a command: nothing is known of what it holds, or would have done.
type mediumError struct {
	what string // "input x could not be read"
	err  error
}

func (e *mediumError) Error() string { return e.what + ": " + reason(e.err).Error() }
func (e *mediumError) Unwrap() error { return e.err }

// unread returns err as a mediumError about what, nil if it is none: no file of
// this name, or a name that leads out of the project, is something that is known.
func unread(what string, err error) error {
	if _, ok := errors.AsType[syscall.Errno](err); !ok && !errors.Is(err, regular.ErrShort) || missing(err) {
		return nil
	}
	return &mediumError{what + " could not be read", err}
}

// unwritten returns err as a mediumError about what relseal itself writes, or as a
// fault of the project: a file where a directory must be, say.
func unwritten(what string, err error) error {
	for _, known := range []error{syscall.ENOTDIR, syscall.EISDIR, syscall.ENOTEMPTY, fs.ErrNotExist, fs.ErrExist} {
		if errors.Is(err, known) {
			return fmt.Errorf("%s: %w", what, reason(err))
		}
	}
	if _, ok := errors.AsType[syscall.Errno](err); !ok {
		return fmt.Errorf("%s: %w", what, reason(err)) // a link that leads out of the project
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok && path.Op == "openat" || ok && path.Op == "open" {
		err = &fs.PathError{Op: "create", Path: path.Path, Err: path.Err}
	}
	return &mediumError{what + " could not be written", err}
}

// unstarted returns why a command was not started: what the system lacked for it is
// no fault of the command.
func unstarted(command string, err error) error {
	if regular.Failed(err) || errors.Is(err, syscall.EAGAIN) {
		return &mediumError{"command " + command + " could not be started", err}
	}
	return fmt.Errorf("command %s: %w", command, reason(err))
}
