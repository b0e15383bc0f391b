package cli

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func newTestApp() *environment {
	return &environment{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
}

// TestFlagsFirst: what people type, and what urfave/cli gets to see.
func TestFlagsFirst(t *testing.T) {
	for _, tt := range []struct{ typed, want string }{
		{"", "--"},
		{"--help", "--help"},
		{"version", "version --"},
		{"cut .", "cut -- ."},
		{"cut . --new-key", "cut --new-key -- ."},
		{"cut --version 1.0.0 .", "cut --version 1.0.0 -- ."},
		{"cut . --version=1.0.0", "cut --version=1.0.0 -- ."},
		{"cut . -version 1.0.0", "cut -version 1.0.0 -- ."},
		{"cut --key -k .", "cut --key -k -- ."}, // no flag of cut, so a file
		{"cut --key=--json .", "cut --key=--json -- ."},
		{"cut -- --new-key", "cut -- --new-key"},
		{"cut -- .", "cut -- ."},
		{"cut . -h --no-such-flag", "cut --help"},
		{"canon -", "canon -- -"},
		{"canon - --yaml -- --json", "canon --yaml -- - --json"},
		{"key show F --json", "key show --json -- F"},
		{"key --help show", "key --help"},
		{"verify-bundle A --key K B --key L C --strict", "verify-bundle --key K --key L --strict -- A B C"},
	} {
		args := append([]string{"relseal"}, strings.Fields(tt.typed)...)
		got, err := flagsFirst(newApp(newTestApp()), slices.Clone(args))
		if want := append([]string{"relseal"}, strings.Fields(tt.want)...); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q becomes %q, %v; want %q", tt.typed, got, err, want)
		}
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"cut", "verify-bundle", "version"}
	for name, want := range map[string]string{
		"ctu":       `did you mean "cut"?`,
		"ver":       `did you mean "verify-bundle"?`,
		"versoin":   `did you mean "version"?`,
		"--version": `did you mean "version"?`,
		"bundle":    "otherwise",
		"":          "otherwise",
	} {
		if got := suggest(name, known, "otherwise"); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
