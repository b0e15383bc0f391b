package verify

import (
	"errors"
	"io"
	"strings"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/internal/limits"
)

// RootCopies returns the copies of a trust root that the bundle at name brings, by their
// paths there, unverified. They stand at its beginning, and nothing behind them is read.
// What is wrong with the bundle is for [File] to say.
func RootCopies(name string) (map[string][]byte, error) {
	src, err := bundle.Open(name, func(finding.Finding) {})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	copies := map[string][]byte{}
	for {
		e, err := src.Next()
		if errors.Is(err, io.EOF) || err == nil && e.Path != bundle.ManifestPath && !strings.HasPrefix(e.Path, "sig/") {
			return copies, nil
		}
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(e.Path, bundle.SigRootDir) || e.Size > limits.Signature {
			continue
		}
		if copies[e.Path], err = io.ReadAll(e.Body); err != nil {
			return nil, err
		}
	}
}
