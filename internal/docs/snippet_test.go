package docs

import (
	"path/filepath"
	"strings"
	"testing"
)

// What the README shows of Go is what an Example of package verify compiles and runs.
func TestSnippet(t *testing.T) {
	root := filepath.Join("..", "..")
	_, rest, found := strings.Cut(read(t, filepath.Join(root, "README.md")), "```go\n")
	snippet, _, closed := strings.Cut(rest, "```\n")
	if !found || !closed || !strings.Contains(snippet, "verify.File(") {
		t.Fatal("the README has no Go in it")
	}
	if !strings.Contains(read(t, filepath.Join(root, "verify", "example_test.go")), "\n"+snippet+"\n") {
		t.Errorf("not in verify/example_test.go as the README has it:\n%s", snippet)
	}
}
