package run

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/internal/regular"
)

// TestMedium lets each call to the medium fail in turn: the run does not end well, the
// record says that a file could not be read, and nothing says that one changed.
func TestMedium(t *testing.T) {
	for _, fault := range []error{syscall.EIO, syscall.EACCES, syscall.EMFILE, regular.ErrShort} {
		for nth := 1; ; nth++ {
			p := newProject(t, []cards.Step{
				sh("a", "cat x y/1 >a", in("x", "y/*"), out("a")),
				sh("b", "cat a >b", in("a"), out("b")),
			}, "x", "1\n", "y/1", "2\n")
			calls := 0
			undo := regular.Inject(func(string, string) error {
				if calls++; calls == nth {
					return fault
				}
				return nil
			})
			res, err := Execute(t.Context(), p.Job, p.tape)
			undo()
			if calls < nth {
				if err != nil || res.Outcome != audit.StatusOK || nth < 20 {
					t.Errorf("without a fault: %+v, %v, %d calls", res, err, calls)
				}
				break
			}
			if err != nil { // it did not begin
				if !errors.Is(err, fault) || len(p.tape.drafts) > 0 {
					t.Errorf("%v at call %d: %v, %s", fault, nth, err, p.tape.story())
				}
				continue
			}
			said := p.tape.drafts[len(p.tape.drafts)-2].Error.String()
			if res.Outcome != audit.StatusFailed || !errors.Is(res.Medium, fault) || !strings.Contains(said, "could not be read: ") {
				t.Errorf("%v at call %d: %+v, recorded %q", fault, nth, res, said)
			}
		}
	}
}

// What relseal itself writes for a step and cannot is no fault of the step.
func TestUnwritten(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("as root every directory can be written to; a file that cannot be removed stands for it")
	}
	p := newProject(t, []cards.Step{sh("a", "true")})
	// A log of this name is a directory that is not empty.
	if err := errors.Join(os.MkdirAll(filepath.Join(p.LogDir, "a.log", "x"), 0o755)); err != nil {
		t.Fatal(err)
	}
	p.fails("step a: log")
	for _, err := range []error{
		&os.PathError{Op: "openat", Path: "x", Err: syscall.ENOSPC}, &os.PathError{Op: "mkdirat", Path: "x", Err: syscall.EACCES},
		&os.LinkError{Op: "renameat", Old: "x", New: "y", Err: syscall.EIO},
	} {
		got := unwritten("log", err)
		if medium, ok := errors.AsType[*mediumError](got); !ok || !strings.HasPrefix(medium.Error(), "log could not be written: ") {
			t.Errorf("%v: %v", err, got)
		}
	}
	if medium, ok := errors.AsType[*mediumError](unstarted("make", &os.PathError{Op: "fork/exec", Path: "make", Err: syscall.EMFILE})); !ok {
		t.Errorf("no descriptor for a command: %v", medium)
	}
	if _, ok := errors.AsType[*mediumError](unstarted("make", &os.PathError{Op: "fork/exec", Path: "make", Err: syscall.EACCES})); ok {
		t.Error("a file that is no program is a fault of the medium")
	}
}
