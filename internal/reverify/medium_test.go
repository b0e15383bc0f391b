package reverify_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/internal/reverify"
	"github.com/relseal/relseal/verify"
)

// TestVerifyMedium lets each call to the medium fail in turn: of the bundle that it hit
// nothing is known, and the others are verified.
func TestVerifyMedium(t *testing.T) {
	files, o := archive(t, 3, nil)
	for _, fault := range []error{syscall.EIO, syscall.EACCES, syscall.EMFILE, regular.ErrShort} {
		for nth := 1; ; nth++ {
			calls := 0
			undo := regular.Inject(func(string, string) error {
				if calls++; calls == nth {
					return fault
				}
				return nil
			})
			unread, verified := 0, 0
			err := reverify.Verify(context.Background(), files, 1, o, func(r reverify.Result) error {
				switch {
				case r.Verdict == nil && r.Error != nil && errors.Is(r.Cause, fault):
					unread++
				case r.Verdict != nil && *r.Verdict == verify.Verified:
					verified++
				default:
					t.Errorf("%v at call %d: %+v", fault, nth, r)
				}
				return nil
			})
			undo()
			if calls < nth {
				if nth < 6 || verified != 3 {
					t.Errorf("without a fault: %d verified, %d calls", verified, calls)
				}
				break
			}
			if err != nil || unread != 1 || verified != 2 {
				t.Errorf("%v at call %d: %d could not be read, %d verified, %v", fault, nth, unread, verified, err)
			}
		}
	}
}

// What Find could not look at is told from what is no bundle.
func TestFindUnread(t *testing.T) {
	files, _ := archive(t, 1, nil)
	dir := filepath.Dir(files[0].Path)
	if err := os.WriteFile(filepath.Join(dir, "README"), []byte("text\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, fault := range []error{nil, syscall.EIO} {
		undo := regular.Inject(func(_, path string) error {
			if filepath.Base(path) == "README" {
				return fault
			}
			return nil
		})
		list, err := reverify.Find([]string{dir}, nothing)
		undo()
		if err != nil || len(list.Skipped) != 1 || !errors.Is(list.Skipped[0].Cause, fault) {
			t.Errorf("%v: %+v, %v", fault, list, err)
		}
	}
}
