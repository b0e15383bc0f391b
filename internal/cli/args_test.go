package cli

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/cli/ui"
)

func newTestApp() *ui.Env {
	return &ui.Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard}
}

// TestFlagsFirst: what people type, and what urfave/cli gets to see.
func TestFlagsFirst(t *testing.T) {
	for _, tt := range []struct {
		typed, want string
		quoted      int
	}{
		{"", "--", 0},
		{"--help", "--help", 0},
		{"version", "version --", 0},
		{"cut .", "cut -- .", 0},
		{"cut . --new-key", "cut --new-key -- .", 0},
		{"cut --version 1.0.0 .", "cut --version 1.0.0 -- .", 0},
		{"cut . --version=1.0.0", "cut --version=1.0.0 -- .", 0},
		{"cut . -version 1.0.0", "cut -version 1.0.0 -- .", 0},
		{"cut --key -k .", "cut --key -k -- .", 0}, // no flag of cut, so a file
		{"cut --key=--json .", "cut --key=--json -- .", 0},
		{"cut -- --new-key", "cut -- --new-key", 1},
		{"cut -- .", "cut -- .", 1},
		{"cut . -h --no-such-flag", "cut --help", 0},
		{"canon -", "canon -- -", 0},
		{"canon - --yaml -- --json", "canon --yaml -- - --json", 1},
		{"key show F --json", "key show --json -- F", 0},
		{"key --help show", "key --help", 0},
		{"verify-bundle A --key K B --key L C --strict", "verify-bundle --key K --key L --strict -- A B C", 0},
		{"run wrap --out D -- make -- --json", "run wrap --out D -- make -- --json", 3},
		{"run wrap make -- --json", "run wrap -- make --json", 1}, // as good as the line above, to urfave/cli
	} {
		args := append([]string{"relseal"}, strings.Fields(tt.typed)...)
		got, quoted, err := flagsFirst(newApp(newTestApp()), slices.Clone(args))
		if want := append([]string{"relseal"}, strings.Fields(tt.want)...); err != nil || !slices.Equal(got, want) || quoted != tt.quoted {
			t.Errorf("%q becomes %q, %d of them quoted, %v; want %q, %d", tt.typed, got, quoted, err, want, tt.quoted)
		}
	}
}
