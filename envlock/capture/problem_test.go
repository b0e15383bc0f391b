//go:build unix

package capture

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/relseal/relseal/internal/hint"
)

// Everything that is wrong with a request is said at once, one line each.
func TestProblemsTogether(t *testing.T) {
	env := maps.Clone(fakeEnv)
	env["GITHUB_TOKEN"] = "hunter2hunter2"
	env["NOTES"] = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
	env["MULTI"] = "a\nb"
	_, err := capture(t, fakeMachine, fakeProject, env, func(r *Request) {
		r.Tools = []string{"zig", "cc", "cmake", "zig", "./build.sh", ""}
		r.Locks = []string{"go.sum", "yarn.lock", "../up", "web"}
		r.Env = []string{"NOTES", "CC", "GITHUB_TOKEN", "MULTI", "A=B"}
	})
	want := []string{
		`tool "": not the name of a program`,
		`tool "./build.sh": not the name of a program`,
		`tool "cmake": not found in any directory of PATH`,
		`tool "zig": not found in any directory of PATH`,
		`lock file "../up": not a clean path below the project`,
		`lock file "web": is a directory, not a regular file`,
		`lock file "yarn.lock": no such file in the project`,
		`variable "A=B": not the name of a variable`,
		`variable "GITHUB_TOKEN": its name looks like that of a credential`,
		`variable "MULTI": its value has a control character`,
		`variable "NOTES": its value looks like a GitHub token`,
	}
	if err == nil || err.Error() != strings.Join(want, "\n") {
		t.Fatalf("got:\n%v\nwant:\n%s", err, strings.Join(want, "\n"))
	}
	for _, secret := range []string{"hunter2", "ghp_"} {
		if strings.Contains(err.Error()+hint.Of(err), secret) {
			t.Errorf("the value of a variable is in the error: %v", err)
		}
	}
	var all Problems
	if !errors.As(err, &all) || len(all) != len(want) {
		t.Fatalf("%d problems, want %d", len(all), len(want))
	}
	for _, p := range all {
		if p.Hint == "" && p.Name != "web" {
			t.Errorf("%v: no hint", p)
		}
		if p.Hint != "" && !strings.Contains(hint.Of(err), p.Hint) {
			t.Errorf("%v: its hint is lost: %q", p, hint.Of(err))
		}
	}
	if !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrSecret) {
		t.Errorf("%v does not wrap its causes", err)
	}
}

func TestLockFiles(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	project := fakeProject.with(tree{"/link": "-> go.sum", "/out": "-> " + outside, "/loop": "-> loop", "/gone": "-> nothing"})
	for name, ok := range map[string]bool{"go.sum": true, "link": true, "out": false, "loop": false, "gone": false, "fifo": false,
		"web/../go.sum": false, "": false, ".": false, `web\lock.json`: false} {
		_, err := capture(t, fakeMachine, project, fakeEnv, func(r *Request) {
			if err := syscall.Mkfifo(filepath.Join(r.Dir, "fifo"), 0o644); err != nil {
				t.Fatal(err)
			}
			r.Locks = []string{name}
		})
		if (err == nil) != ok {
			t.Errorf("%q: %v, want accepted %v", name, err, ok)
		}
	}
}

func TestNoProject(t *testing.T) {
	_, err := Capture(t.Context(), Request{Dir: filepath.Join(t.TempDir(), "none")})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "project") {
		t.Errorf("got %v", err)
	}
}
