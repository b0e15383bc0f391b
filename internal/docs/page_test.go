package docs

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root       = "../.."
	formatPage = root + "/docs/format.md"
	vectorDir  = root + "/testdata/vectors"
	vectorPage = vectorDir + "/README.md"
)

var update = flag.Bool("update", false, "write the generated parts of the pages again")

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// generated holds the part of a page between two comments, <!-- name: … --> and
// <!-- /name -->, to want, or writes it.
func generated(t *testing.T, file, name, want string) {
	t.Helper()
	page := read(t, file)
	marks := regexp.MustCompile(`(?s)(<!-- ` + name + `: .*? -->\n)(.*?)(<!-- /` + name + ` -->\n)`)
	found := marks.FindAllStringSubmatchIndex(page, -1)
	if len(found) != 1 {
		t.Fatalf("%s has %d parts marked %s, not one", file, len(found), name)
	}
	from, to := found[0][4], found[0][5]
	if page[from:to] == want {
		return
	}
	if !*update {
		t.Errorf("%s: the part %s is not what follows from the code; go test ./internal/docs -update writes it:\n%s", file, name, want)
		return
	}
	if err := os.WriteFile(file, []byte(page[:from]+want+page[to:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A table of a page and the heading it stands under, without number and marks.
type table struct {
	heading string
	header  string // its cells, joined by commas
	rows    [][]string
}

var headingMark = regexp.MustCompile(`^#+ ([0-9]+\. )?`)

func tables(page string) []table {
	var all []table
	heading, open, code := "", false, false
	for line := range strings.SplitSeq(page, "\n") {
		code = code != strings.HasPrefix(line, "```")
		switch {
		case code:
		case strings.HasPrefix(line, "#"):
			heading = headingMark.ReplaceAllString(line, "")
		case !strings.HasPrefix(line, "|"):
			open = false
		case !open:
			all = append(all, table{heading: heading, header: strings.Join(cells(line), ",")})
			open = true
		case !strings.HasPrefix(line, "|---"):
			last := &all[len(all)-1]
			last.rows = append(last.rows, cells(line))
		}
	}
	return all
}

func cells(line string) []string {
	parts := strings.Split(strings.Trim(line, "|"), "|")
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
	}
	return parts
}

// rowsOf returns the rows of the only table with this header under a heading;
// "" is for any heading.
func rowsOf(t *testing.T, heading, header string) [][]string {
	t.Helper()
	var rows [][]string
	for _, tab := range tables(read(t, formatPage)) {
		if (heading == "" || tab.heading == heading) && tab.header == header {
			rows = append(rows, tab.rows...)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no table %q under %q", formatPage, header, heading)
	}
	for _, row := range rows {
		if len(row) != strings.Count(header, ",")+1 {
			t.Fatalf("the row %q does not have the columns %s", row, header)
		}
	}
	return rows
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// spans returns the texts that stand between backquotes in a cell.
func spans(cell string) []string {
	var out []string
	for _, m := range codeSpan.FindAllStringSubmatch(cell, -1) {
		out = append(out, m[1])
	}
	return out
}

// Every link of a page leads to a file and a heading, and the README links every page
// beside it and in docs.
func TestLinks(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/*.md", "testdata/*/README.md"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		pages = append(pages, names...)
	}
	link, linked := regexp.MustCompile(`\]\(([^)\s]+)\)`), map[string]bool{}
	for _, file := range pages {
		for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
			name, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(m[1], "://") {
				continue
			}
			target := file
			if name != "" {
				target = filepath.Join(filepath.Dir(file), filepath.FromSlash(name))
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", file, err)
			} else if anchor != "" && !slices.Contains(anchors(read(t, target)), anchor) {
				t.Errorf("%s: %s has no heading for #%s", file, target, anchor)
			}
			linked[target] = linked[target] || file == filepath.Join(root, "README.md")
		}
	}
	for _, page := range pages {
		if dir := filepath.Dir(page); (dir == filepath.Clean(root) || dir == filepath.Join(root, "docs")) && filepath.Base(page) != "README.md" && !linked[page] {
			t.Errorf("the README does not link %s", page)
		}
	}
}

// anchors returns the names that the headings of a page have as targets.
func anchors(page string) []string {
	var out []string
	drop := regexp.MustCompile(`[^a-z0-9 _-]`)
	for line := range strings.SplitSeq(page, "\n") {
		if text, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			out = append(out, strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(text), ""), " ", "-"))
		}
	}
	return out
}
