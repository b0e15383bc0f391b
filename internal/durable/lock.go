package durable

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// Lock takes the lock on the file path, which it creates if need be, and waits
// for it until ctx is done. It excludes every other Lock of the same path, in
// this process and in others on the same machine. A crash releases it; the file
// stays.
//
// The lock is advisory. On Windows it covers one byte far beyond the end, so
// that it does not keep readers out of the file.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		f, err := tryLock(path)
		switch {
		case err == nil:
			return func() { f.Close() }, nil // closing releases
		case !errors.Is(err, errLocked):
			return nil, at("lock", path, err)
		}
		// A blocked system call could not be called off; hence asking again.
		select {
		case <-ctx.Done():
			return nil, at("lock", path, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// errLocked reports that somebody else has the lock.
var errLocked = errors.New("locked by another process")

// tryLock returns the locked file, or errLocked.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := lock(f, false); err != nil {
		f.Close()
		return nil, err
	}
	// Between open and lock somebody may have removed or replaced the file: then
	// this lock guards nothing that a newcomer would see.
	if same, err := Same(f, path); err != nil || !same {
		f.Close()
		if err == nil {
			err = errLocked
		}
		return nil, err
	}
	return f, nil
}

// LockFile takes the lock of [Lock] on an open file and waits for it.
func LockFile(f *os.File) (unlock func() error, err error) {
	if err := lock(f, true); err != nil {
		return nil, at("lock", f.Name(), err)
	}
	return func() error { return at("unlock", f.Name(), release(f)) }, nil
}

// Same reports whether path still names the open file f.
func Same(f *os.File, path string) (bool, error) {
	open, err := f.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(open, named), err
}
