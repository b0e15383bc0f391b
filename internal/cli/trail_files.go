package cli

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// filesBelow returns the files that a flag names.
func filesBelow(c *cli.Context, flag string) ([]string, error) {
	names := c.StringSlice(flag)
	for _, name := range names {
		if !filepath.IsLocal(name) || !canon.Printable(filepath.ToSlash(name)) {
			return nil, ui.UsageHint(fmt.Sprintf("%s: --%s %+q is not a path below the current directory", c.Command.HelpName, flag, name),
				"the path is recorded as the file's name and must mean the same elsewhere")
		}
	}
	return names, nil
}

// hashAll returns the files as events list them; open is regular.Open, or
// regular.OpenSelf where a symbolic link will not do.
func hashAll(ctx context.Context, names []string, open func(string) (*regular.File, error)) ([]audit.Item, error) {
	var items []audit.Item
	for _, name := range names {
		hash, err := hashRegular(ctx, name, open)
		if err != nil {
			return nil, err
		}
		items = append(items, audit.Item{Hash: hash, URI: path.Clean(filepath.ToSlash(name))})
	}
	return items, nil
}

// hashOutputs refuses symbolic links, as bundles do.
func hashOutputs(ctx context.Context, names []string) ([]audit.Item, error) {
	return hashAll(ctx, names, regular.OpenSelf)
}

// hashRegular returns the digest of a regular file.
func hashRegular(ctx context.Context, name string, open func(string) (*regular.File, error)) (sign.Digest, error) {
	f, err := open(name)
	if other, ok := errors.AsType[*regular.KindError](err); ok && other.Kind == "a symbolic link" {
		err = hint.With(err, "a bundle holds the file itself: name that")
	}
	if err != nil {
		return sign.Digest{}, err
	}
	defer f.Close()
	hash, _, err := sign.SumReader(regular.UntilDone(ctx, f))
	return hash, err
}
