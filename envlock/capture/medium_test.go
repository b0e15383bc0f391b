//go:build unix

package capture

import (
	"errors"
	"syscall"
	"testing"

	"github.com/relseal/relseal/internal/regular"
)

// TestMedium lets each call to the medium fail in turn. Where the medium failed, or
// nothing more can be opened, there is no answer about the environment; what may not
// be read is unknown and no difference.
func TestMedium(t *testing.T) {
	r := request(t, fakeMachine.with(tree{"/var/lib/dpkg/status": dpkgStatus}), fakeProject, fakeEnv)
	r.Tools, r.Packages = []string{"python3"}, true
	want, err := Capture(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	type call struct{ op, path string }
	var calls []call
	seen := map[call]bool{}
	undo := regular.Inject(func(op, path string) error {
		if c := (call{op, path}); !seen[c] {
			seen[c] = true
			calls = append(calls, c)
		}
		return nil
	})
	c, err := Check(t.Context(), want, r)
	undo()
	if err != nil || len(c.Drift)+len(c.Unread) > 0 || len(calls) < 100 {
		t.Fatalf("without a fault: %+v, %v, %d calls", c, err, len(calls))
	}
	for i, one := range calls {
		for j, fault := range []error{syscall.EIO, syscall.EMFILE, syscall.EACCES} {
			if testing.Short() && (i+j)%3 != 0 {
				continue
			}
			undo := regular.Inject(func(op, path string) error {
				if one == (call{op, path}) {
					return fault
				}
				return nil
			})
			c, err := Check(t.Context(), want, r)
			undo()
			switch {
			case fault != syscall.EACCES && !errors.Is(err, fault):
				t.Errorf("%s %s: %v is the answer %+v, %v", one.op, one.path, fault, c, err)
			case fault == syscall.EACCES && err == nil && len(c.Drift) > 0:
				t.Errorf("%s %s: what may not be read differs: %+v", one.op, one.path, c.Drift)
			}
		}
	}
}
