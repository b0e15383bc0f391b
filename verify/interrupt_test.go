package verify_test

import (
	"context"
	"errors"
	"testing"

	"github.com/relseal/relseal/verify"
)

// done ends in the middle of the first file.
type done struct {
	context.Context
	asked int
}

func (d *done) Err() error {
	if d.asked++; d.asked > 3 {
		return context.Canceled
	}
	return nil
}

// Whoever interrupts is not kept waiting until the file is read.
func TestInterruptedInAFile(t *testing.T) {
	r, err := verify.File(&done{Context: context.Background()}, "../testdata/vectors/good-audit.tar.zst", verify.Options{})
	if !errors.Is(err, context.Canceled) || r != nil {
		t.Errorf("%+v, %v", r, err)
	}
}
