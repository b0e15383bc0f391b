package cut

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/regular"
)

// lockProject makes the directories for bundles and records, and keeps other cuts out of
// the project until release is called: their steps would write to the same files.
func (c *cut) lockProject(ctx context.Context) (release func(), err error) {
	work := c.p.file(".relseal")
	for _, dir := range []string{c.out, work} {
		if err := durable.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := ignore(work, "# private keys and run records; public keys may be committed\n*\n!.gitignore\n!*.pub\n"); err != nil {
		return nil, err
	}
	name := filepath.Join(work, "cut.lock")
	if err := durable.WriteFile(name, nil, 0o644, false); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	f, err := regular.OpenUpdate(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	_, err = durable.LockFile(ctx, f, func(holder string) { cancel(busy(holder)) })
	if err == nil || errors.Is(err, errors.ErrUnsupported) {
		if err = c.vacant(); err == nil { // another cut may have ended meanwhile
			return func() { f.Close() }, nil
		}
	}
	f.Close()
	if b, ok := context.Cause(ctx).(busy); ok {
		err = fmt.Errorf("%s: %w", c.Dir, b)
	}
	return nil, err
}

// busy reports who cuts the project now. It is an fs.ErrExist: nothing can be made.
type busy string

func (b busy) Error() string        { return string(b) + " is cutting this project now" }
func (b busy) Is(target error) bool { return target == fs.ErrExist }
