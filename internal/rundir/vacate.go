package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/regular"
)

// marker is the file that is there and locked while a run is recorded. It is left, and
// nobody holds its lock, where the record got no end.
const marker = ".recording"

// mark makes the marker in a directory and locks it.
func mark(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, marker), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return durable.Hold(f), nil
}

// Abandoned reports whether the process is gone that recorded the run in dir, and has not
// ended it.
func Abandoned(dir string) bool {
	f, err := regular.OpenUpdate(filepath.Join(dir, marker))
	if err != nil {
		return false
	}
	free, unlock := durable.TryHold(f)
	if free {
		unlock()
	}
	return free
}

// Vacate makes room for a new run directory where a process was killed that recorded
// one, or could not go on. A record without an event is removed. Any other is kept under the name that
// Vacate returns: its trail is signed up to there. The error is fs.ErrExist where
// something else is in the way, a run that still goes on included.
func Vacate(dir string) (aside string, err error) {
	dir = filepath.Clean(dir)
	durable.Sweep(filepath.Dir(dir))
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	inTheWay := &fs.PathError{Op: "mkdir", Path: dir, Err: fs.ErrExist}
	f, err := regular.OpenUpdate(filepath.Join(dir, marker))
	if err != nil {
		return "", inTheWay
	}
	free, unlock := durable.TryHold(f)
	if !free {
		return "", &fs.PathError{Op: "mkdir", Path: dir, Err: stillRecorded{}}
	}
	defer unlock()
	g, events, err := begun(File(dir, bundle.TrailPath))
	if err != nil {
		return "", inTheWay
	}
	if events == 0 {
		return "", durable.RemoveAll(dir)
	}
	aside = fmt.Sprintf("%s.killed-%.8s", dir, g.Run.ID)
	if _, err := os.Lstat(aside); !errors.Is(err, fs.ErrNotExist) {
		return "", inTheWay
	}
	if err := os.Remove(filepath.Join(dir, marker)); err != nil {
		return "", err
	}
	return aside, os.Rename(dir, aside)
}

// begun returns the genesis of a trail and how many lines it has after that.
func begun(file string) (g audit.Genesis, events int64, err error) {
	f, err := regular.Open(file)
	if err != nil {
		return g, 0, err
	}
	defer f.Close()
	// Whether the events hold is for others to say.
	sum, err := audit.Check(f, audit.CheckOptions{Bare: true})
	if err != nil || sum.Genesis == nil {
		return g, 0, errors.Join(err, errors.New("no genesis"))
	}
	return *sum.Genesis, sum.K, nil
}

// stillRecorded is the error about a run that goes on; it is an fs.ErrExist.
type stillRecorded struct{}

func (stillRecorded) Error() string        { return "a run is being recorded there" }
func (stillRecorded) Is(target error) bool { return target == fs.ErrExist }
