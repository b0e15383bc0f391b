package known

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/release"
	"github.com/relseal/relseal/sign"
)

// StateVariable names the directory where this machine keeps what it has seen, in
// place of the user's own.
const StateVariable = "RELSEAL_STATE_DIR"

// A State is the directory in which the highest head of each ledger is kept that was
// seen here: heads/HEX.json for the ledger of that H_0. It lies outside of every
// ledger, so that whoever can write there cannot make it forget.
type State string

// System returns the state of this user. The error says that the system names no
// place for it.
func System() (State, error) {
	if dir := os.Getenv(StateVariable); dir != "" {
		return State(dir), nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return State(filepath.Join(dir, "relseal")), nil
	}
	switch runtime.GOOS {
	case "windows", "darwin", "ios":
		dir, err := os.UserCacheDir() // %LocalAppData%; ~/Library/Caches
		if runtime.GOOS != "windows" && err == nil {
			dir = filepath.Join(filepath.Dir(dir), "Application Support") // caches are cleared
		}
		return State(filepath.Join(dir, "relseal")), err
	}
	home, err := os.UserHomeDir()
	return State(filepath.Join(home, ".local", "state", "relseal")), err
}

// File returns where the head of a ledger is kept.
func (s State) File(h0 sign.Digest) string {
	return filepath.Join(string(s), "heads", h0.Hex()+".json")
}

// Head returns the highest head that was seen of a ledger, nil for none.
func (s State) Head(h0 sign.Digest) (*release.KnownHead, error) {
	name := s.File(h0)
	h, err := readHead(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && h.H0 != h0:
		err = fmt.Errorf("%s: the head of another ledger, %s", name, h.H0)
	case errors.Is(err, errNoHead):
		err = fmt.Errorf("%s: %w", name, err)
	}
	if err != nil {
		return nil, hint.With(err, "it is what this machine remembers of the ledger; remove it only if you know why it is damaged")
	}
	known := h.Known(release.Source{Kind: release.KnownState, Name: name})
	return &known, nil
}

// Keep notes a head that was seen. One that is lower than what is there changes
// nothing.
func (s State) Keep(ctx context.Context, h release.Head) error {
	name := s.File(h.H0)
	if err := durable.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	unlock, err := durable.Lock(ctx, name+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	there, err := s.Head(h.H0)
	if err != nil || there != nil && there.K >= h.K {
		return err
	}
	return Write(name, h)
}

// Write writes a head to a file, whole or not at all.
func Write(name string, h release.Head) error {
	data, err := release.MarshalHead(h)
	if err != nil {
		return err
	}
	return durable.WriteFile(name, data, 0o644, true)
}
