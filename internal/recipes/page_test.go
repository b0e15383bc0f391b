package recipes

import (
	"os"
	"strings"
	"testing"
)

// A block is a fenced block of a page.
type block struct {
	line    int    // of its first fence
	section string // the heading of second level that it stands under
	before  string // the last line before it that is not empty
	lang    string
	text    string
}

// blocks returns the fenced blocks of a page, in order.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all []block
	var section, before string
	open := false
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		lang, fence := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "```")
		switch {
		case fence && open:
			open, before = false, ""
		case fence:
			all, open = append(all, block{line: n, section: section, before: before, lang: lang}), true
		case open:
			all[len(all)-1].text += line
		case strings.HasPrefix(line, "    "), strings.HasPrefix(line, "~~~"):
			t.Errorf("%s:%d: another kind of block; the tests look at those between three backticks", page, n)
		case strings.TrimSpace(line) != "":
			before = strings.TrimSpace(line)
			if heading, ok := strings.CutPrefix(before, "## "); ok {
				section = heading
			}
		}
	}
	if open || len(all) == 0 {
		t.Fatalf("%s: a fence that does not end, or none", page)
	}
	return all
}
