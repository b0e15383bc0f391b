package ui

import (
	"errors"
	"fmt"
	"io"

	"github.com/relseal/relseal/internal/document"
	"github.com/relseal/relseal/internal/regular"
)

// ReadInput reads a file, or standard input for "-", of at most limit bytes. It
// returns the name that errors carry.
func (env *Env) ReadInput(name string, limit int64) (string, []byte, error) {
	name, r, err := env.OpenInput(name)
	if err != nil {
		return name, nil, err
	}
	defer r.Close()
	data, err := regular.ReadAll(name, r, limit)
	return name, data, err
}

// OpenInput opens a file, a pipe that the shell made, or standard input for "-", to be
// read until the command is interrupted. It returns the name that errors carry.
func (env *Env) OpenInput(name string) (string, io.ReadCloser, error) {
	if name == "-" {
		return "standard input", io.NopCloser(regular.Until(env.Ctx, env.Stdin)), nil
	}
	r, err := regular.Stream(env.Ctx, name)
	return name, r, err
}

// InFile puts the file before each fault of a document that has no lines.
func InFile(file string, err error) error {
	var faults document.Faults
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &faults):
		return fmt.Errorf("%s: %w", file, err)
	}
	for i := range faults {
		faults[i].File = file
	}
	return faults
}
