//go:build unix

package capture

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/regular"
)

// TestUnreadSaid lets each call, and everything below each directory, be refused in turn:
// what could not be read for that is null, and nothing is gone or different.
func TestUnreadSaid(t *testing.T) {
	r := request(t, fakeMachine.with(tree{"/var/lib/dpkg/status": dpkgStatus}), fakeProject, fakeEnv)
	r.Tools, r.Packages = []string{"python3"}, true
	want, err := Capture(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var refused []string // paths; a directory ends in a slash
	undo := regular.Inject(func(_, name string) error {
		refused = append(refused, name)
		for name = filepath.Dir(name); strings.HasPrefix(name, r.Root+"/"); name = filepath.Dir(name) {
			refused = append(refused, name+"/")
		}
		return nil
	})
	_, err = Capture(t.Context(), r)
	undo()
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := []string{"/proc/device-tree/", "/proc/device-tree/model", "/usr/bin/", "/usr/bin/python3"} // what counts is found elsewhere
	for _, path := range sorted(refused) {
		undo := regular.Inject(func(_, name string) error {
			if name == path || strings.HasSuffix(path, "/") && strings.HasPrefix(name+"/", path) {
				return syscall.EACCES
			}
			return nil
		})
		got, err := Capture(t.Context(), r)
		undo()
		if err != nil {
			continue // a tool, say
		}
		now, said := maps.Collect(got.Env.All()), false
		for _, d := range envlock.Diff(want, got) {
			v, there := now[d.Component][d.Fact]
			if there && v == nil {
				said = true
			} else if packages, asked := got.Env.OS[packagesFact]; there || !packageFact(d.Fact) || !asked || packages != nil {
				t.Errorf("%s is refused: %+v", path, d)
			}
		}
		if !said && !slices.Contains(elsewhere, strings.TrimPrefix(path, r.Root)) {
			t.Errorf("%s is refused, and nothing says so", path)
		}
	}
}

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
