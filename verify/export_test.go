package verify

import (
	"bytes"
	"context"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/engine"
)

// Bytes verifies a packed bundle in memory.
func Bytes(data []byte, o Options) (*Report, error) {
	b := newCheck(engine.With(context.Background(), engine.Options{Workers: 1}), o, newCollector(), "")
	src := bundle.NewReader(bytes.NewReader(data), b.reporter(checkContainer))
	defer src.Close()
	if err := b.read(src); err != nil {
		return nil, err
	}
	return b.report(), nil
}

// Kept is how many bytes a reference holds.
func (r *Reference) Kept() (n int) {
	for _, data := range r.files {
		n += len(data)
	}
	return n
}
