package verify_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/relseal/relseal/verify"
)

// canceledAt is done once so many bytes were read.
type canceledAt struct {
	context.Context
	bytes    int64
	progress *verify.Progress
}

func (c canceledAt) Err() error {
	if c.progress.Bytes.Load() >= c.bytes {
		return context.Canceled
	}
	return nil
}

// Whoever interrupts does not wait until a file is read.
func TestInterruptedInAFile(t *testing.T) {
	const size, at = 64 << 20, 16 << 20
	files := demo().Seal()
	files["large"] = make([]byte, size)
	name := filepath.Join(t.TempDir(), "demo.tar")
	if err := os.WriteFile(name, files.Tar(), 0o644); err != nil {
		t.Fatal(err)
	}
	p := new(verify.Progress)
	_, err := verify.File(canceledAt{context.Background(), at, p}, name, verify.Options{Keys: damage{}.trusted(t), Progress: p})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := p.Bytes.Load(); n >= size/2 {
		t.Errorf("%d bytes were read, the end was at %d", n, at)
	}
}
