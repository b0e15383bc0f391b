package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/cli/ui"
)

// panicking is a standard output that uncovers a bug.
type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("boom") }

// TestPanic: a bug of ours must not look like REJECT, which is what Go's own exit
// code of a panic would say.
func TestPanic(t *testing.T) {
	var stderr bytes.Buffer
	code := Main(t.Context(), []string{"relseal", "version"}, strings.NewReader(""), panicking{}, &stderr)
	if code != ui.ExitInternal {
		t.Errorf("exit code %d, want %d", code, ui.ExitInternal)
	}
	lines := strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")
	if want := "relseal: error: internal fault: boom"; lines[0] != want {
		t.Errorf("%q, want %q", lines[0], want)
	}
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "relseal: hint: this is a bug in relseal") {
		t.Errorf("the last line is %q", last)
	}
	if !strings.Contains(stderr.String(), "main_test.go") {
		t.Errorf("the stack is not in the report:\n%s", &stderr)
	}
}

// TestClosedStdout: an answer that nobody got is no success. (From a shell,
// `relseal version >&-` is one all the same: see the BUG note of Main.)
func TestClosedStdout(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for _, args := range []string{"--help", "version", "explain --json", "key --help"} {
		var stderr bytes.Buffer
		code := Main(t.Context(), append([]string{"relseal"}, strings.Fields(args)...), strings.NewReader(""), f, &stderr)
		if want := "relseal: error: standard output: file already closed\n"; code != ui.ExitIO || stderr.String() != want {
			t.Errorf("%s: exit code %d, stderr %q", args, code, &stderr)
		}
	}
}

// output executes a command that must succeed and returns what it prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := Main(t.Context(), append([]string{"relseal"}, args...), strings.NewReader(""), &stdout, io.Writer(&stderr)); code != 0 || stderr.Len() > 0 {
		t.Fatalf("relseal %s: exit code %d, %s", strings.Join(args, " "), code, &stderr)
	}
	return stdout.String()
}
