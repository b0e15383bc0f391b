package trail

import (
	"context"
	"errors"
	"path"
	"path/filepath"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// Inputs returns files as events list them: by their digests, with their paths as names.
func Inputs(ctx context.Context, names []string) ([]audit.Item, error) {
	return hashAll(ctx, names, regular.Open)
}

// Outputs is Inputs, and refuses symbolic links, as bundles do.
func Outputs(ctx context.Context, names []string) ([]audit.Item, error) {
	return hashAll(ctx, names, regular.OpenSelf)
}

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
