package pack

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/relseal/relseal/internal/regular"
)

// TestUnpackMedium lets each call to the medium fail in turn: the error says so, not that
// the bundle changed, and nothing is left of the directory.
func TestUnpackMedium(t *testing.T) {
	name, report, o := verified(t, "good-audit")
	for _, fault := range []error{syscall.EIO, regular.ErrShort} {
		for nth := 1; ; nth++ {
			calls := 0
			undo := regular.Inject(func(string, string) error {
				if calls++; calls == nth {
					return fault
				}
				return nil
			})
			_, err := Unpack(t.Context(), name, filepath.Join(filepath.Dir(name), "out"), report, o)
			undo()
			if calls < nth {
				if err := errors.Join(err, os.RemoveAll(filepath.Join(filepath.Dir(name), "out"))); err != nil || nth < 10 {
					t.Errorf("without a fault: %v, %d calls", err, calls)
				}
				break
			}
			if !errors.Is(err, fault) {
				t.Errorf("%v at call %d: %v", fault, nth, err)
			}
			empty(t, name)
		}
	}
}
