package cli

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"github.com/relseal/relseal/internal/reverify"
)

// TestArchiveUnread: what could not be opened is 66, what failed while it was read 74, and
// what is no bundle neither.
func TestArchiveUnread(t *testing.T) {
	open := &fs.PathError{Op: "open", Path: "F", Err: syscall.EMFILE}
	read := &fs.PathError{Op: "read", Path: "F", Err: syscall.EIO}
	for _, tt := range []struct {
		results []error
		skipped []error
		code, n int
	}{
		{nil, []error{nil}, exitNoInput, 0},
		{[]error{open}, nil, exitNoInput, 1},
		{[]error{open, read}, nil, exitIO, 2},
		{nil, []error{nil, open}, exitNoInput, 1},
		{[]error{open}, []error{read}, exitIO, 2},
	} {
		a := &archive{}
		for _, err := range tt.results {
			a.results = append(a.results, reverify.Result{File: "F", Cause: err})
		}
		for _, err := range tt.skipped {
			a.skipped = append(a.skipped, reverify.Skipped{Name: "F", Cause: err})
		}
		if code, n := a.unread(); code != tt.code || n != tt.n {
			t.Errorf("%v, %v: %d of %d, want %d of %d", errors.Join(tt.results...), errors.Join(tt.skipped...), code, n, tt.code, tt.n)
		}
	}
}
