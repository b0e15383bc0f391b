package recipes

import (
	"path/filepath"
	"regexp"
	"testing"
)

const verifyPage = repository + "/docs/verify.md"

// The marks of that page: a block is run in the folder that all share and ends
// with 0 or the code that is named, or only where a program is installed; the
// text after it is what it prints.
var verifyMark = regexp.MustCompile(`^<!-- (?:(run)(?:: (?:exit (\d)|([a-z]+)))?|out) -->$`)

// TestVerifyPage runs the page from its first block to its last.
func TestVerifyPage(t *testing.T) {
	need(t, "sh", "openssl", "ssh-keygen", "jq", "xxd", "tar", "zstd", "sha256sum", "find")
	dir, vectors := t.TempDir(), filepath.Join(repository, "testdata", "vectors")
	for name, from := range map[string]string{
		"demo-1.0.0.release.tar.zst": "good-release.tar.zst",
		"damaged.release.tar.zst":    "nested-event-edited.tar.zst",
		"release.pub":                "keys/release.pub",
	} {
		copyFile(t, filepath.Join(dir, name), filepath.Join(vectors, from))
	}
	relseal(t)
	printed, runs := "", 0
	for _, b := range blocks(t, verifyPage) {
		m := verifyMark.FindStringSubmatch(b.before)
		switch {
		case m == nil:
			t.Fatalf("%s:%d: the block is neither run nor what a run prints", verifyPage, b.line)
		case m[1] == "":
			if printed != b.text {
				t.Errorf("%s:%d: the block before prints\n%s\nnot\n%s", verifyPage, b.line, printed, b.text)
			}
			continue
		case m[3] != "" && !installed(m[3]):
			t.Logf("%s:%d: not run, %s is not installed", verifyPage, b.line, m[3])
			continue
		}
		e := execute(t, dir, nil, "bash", "-euo", "pipefail", "-c", b.text)
		if want := m[2]; want == "" && e.code != 0 || want != "" && e.code != int(want[0]-'0') {
			t.Fatalf("%s:%d: exit %d of\n%s\n%s", verifyPage, b.line, e.code, b.text, e)
		}
		printed, runs = e.stdout, runs+1
	}
	if runs < 8 {
		t.Errorf("only %d blocks were run", runs)
	}
}
