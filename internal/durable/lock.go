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
	// Others may have made what lies there. Opening a device can have effects, so it
	// is looked at before, and again afterwards.
	info, err := os.Stat(path)
	if err == nil {
		err = regularFile(path, info)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noWait, 0o666)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = regularFile(path, info)
	}
	if err != nil {
		f.Close()
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

func regularFile(path string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return &fs.PathError{Op: "open", Path: path, Err: errors.New("is not a regular file")}
}

// someone has the lock, and the system does not say who.
const someone = "another process"

// patience is how long a lock is waited for before anybody is told.
const patience = 300 * time.Millisecond

// LockFile takes the lock of [Lock] on an open file and waits for it until ctx is
// done. If that takes a while, waiting is called once with what is known of who has
// the lock; it may be nil.
func LockFile(ctx context.Context, f *os.File, waiting func(holder string)) (unlock func() error, err error) {
	err = lock(f, false)
	if errors.Is(err, errLocked) {
		err = await(ctx, f, waiting)
	}
	if err != nil {
		return nil, at("lock", f.Name(), err)
	}
	return func() error { return at("unlock", f.Name(), release(f)) }, nil
}

// await takes a lock that somebody else has.
func await(ctx context.Context, f *os.File, waiting func(holder string)) error {
	// The system call cannot be called off. Asking again and again instead would leave
	// those who ask behind whoever takes the lock often.
	got := make(chan error, 1)
	own, err := again(f)
	if err != nil {
		return err
	}
	go func() { got <- lock(own, true) }()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		select {
		case err := <-got:
			return errors.Join(err, own.Close()) // f has the lock as well
		case <-late.C:
			if waiting != nil {
				waiting(holderOf(f))
			}
		case <-ctx.Done():
			go func() {
				if <-got == nil {
					release(own)
				}
				own.Close()
			}()
			return context.Cause(ctx)
		}
	}
}

// Hold takes the lock of [Lock] on an open file that nobody else has, until release is
// called or the process ends. Where the system has no such locks, it does nothing.
func Hold(f *os.File) (release func()) {
	lock(f, false)
	return func() { f.Close() }
}

// TryHold is Hold for a file that somebody else may have. free says that nobody has it,
// which is false where the system has no such locks.
func TryHold(f *os.File) (free bool, release func()) {
	free = lock(f, false) == nil
	if !free {
		f.Close()
	}
	return free, func() { f.Close() }
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
