package durable

import (
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	tempPrefix = ".relseal-"
	tempSuffix = ".tmp" // a file or a directory that is being made
	listSuffix = ".set" // the list of files that are about to appear together
)

// tempName returns a name in dir that nobody has. It is independent of the name that
// the file is to get: one of 255 bytes leaves no room.
func tempName(dir string) string { return filepath.Join(dir, tempPrefix+rand.Text()+tempSuffix) }

// isTemp reports whether tempName can have made a name.
func isTemp(name, suffix string) bool {
	random, ok := strings.CutPrefix(name, tempPrefix)
	random, cut := strings.CutSuffix(random, suffix)
	return ok && cut && len(random) == 26 && strings.Trim(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// named makes a temporary file in dir and locks it.
func named(dir string, perm fs.FileMode) (*os.File, error) { return lockedFile(dir, perm, tempSuffix) }

func lockedFile(dir string, perm fs.FileMode, suffix string) (*os.File, error) {
	for {
		f, err := os.OpenFile(strings.TrimSuffix(tempName(dir), tempSuffix)+suffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if err != nil || mine(f) {
			return f, err
		}
		f.Close() // somebody swept in between: it looked like nobody's
	}
}

// mine locks an open temporary file or directory, and reports whether it still has its
// name. Where the system has no such locks nobody sweeps.
func mine(f *os.File) bool {
	if err := lock(f, false); err == errLocked {
		return false
	} else if err != nil {
		return true
	}
	same, err := Same(f, f.Name())
	return same || err != nil
}

// swept are the directories that this process has swept before it wrote files there.
var swept sync.Map

// sweepOnce sweeps a directory before the first file: it may have a great many files.
func sweepOnce(dir string) {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if _, done := swept.LoadOrStore(dir, true); !done {
		Sweep(dir)
	}
}

// Sweep removes from a directory what a process left that was killed: temporary files
// and directories, and files of a group of which the last is missing. They bear names
// that this package makes, belong to this user, and nobody holds the lock that their
// maker held. What cannot be removed stays.
func Sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case isTemp(e.Name(), listSuffix):
			abandoned(path, func(f *os.File) { undo(dir, f, false) })
		case isTemp(e.Name(), tempSuffix):
			abandoned(path, func(*os.File) {})
		}
	}
}

// abandoned removes the temporary file or directory path, after do, if it is ours and
// its maker is gone.
func abandoned(path string, do func(*os.File)) {
	info, err := os.Lstat(path)
	if err != nil || !owned(info) || !(info.Mode().IsRegular() || info.IsDir()) {
		return
	}
	f, err := openToLock(path)
	if err != nil {
		return
	}
	defer f.Close()
	if lock(f, false) != nil {
		return
	}
	if same, err := Same(f, path); err != nil || !same {
		return
	}
	do(f)
	closeToRename(f)
	if info.IsDir() {
		os.RemoveAll(path)
		return
	}
	os.Remove(path)
}
