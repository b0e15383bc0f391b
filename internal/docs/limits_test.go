package docs

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

// limitRows say what each constant of internal/limits bounds, and in which unit.
var limitRows = []struct{ name, what, unit string }{
	{"JSONDepth", "nesting of objects and arrays", ""},
	{"JSONString", "a string or member name, decoded to UTF-8", "bytes"},
	{"JSONInt", "magnitude of a number", "power"},
	{"Line", "a line of a trail, its LF not counted", "bytes"},
	{"EnvLock", "`envlock.json`", "bytes"},
	{"Card", "a card or policy in canonical form", "bytes"},
	{"Manifest", "`manifest.json`", "bytes"},
	{"Lineage", "a manifest that a release came from", "bytes"},
	{"Members", "members of the manifest", ""},
	{"Files", "elements of `files`, of `artifacts`", ""},
	{"Trails", "elements of `trails`", ""},
	{"Element", "one of these elements", "bytes"},
	{"Provenance", "`provenance`", "bytes"},
	{"Decision", "`decision`", "bytes"},
	{"Policies", "registrations of policies in a ledger", ""},
	{"Releases", "bundles that came to a channel in a ledger", ""},
	{"Amiss", "events of a ledger that do not follow from those before them", ""},
	{"Windows", "windows of one release in a ledger; for a verifier those that are kept at a time, of all bundles that a release may have come from", ""},
	{"WindowText", "their ids and values together", "bytes"},
	{"Name", "the `id` of a window, the `version` of a bundle in a ledger", "bytes"},
	{"Value", "one value of a window", "bytes"},
	{"Triggers", "triggers that a decision lists", ""},
	{"Blackout", "`max_undecidable` of a policy", ""},
	{"Steps", "steps that start in a trail", ""},
	{"Clocks", "clocks of a trail", ""},
	{"Rotations", "times that a ledger is handed over to another key", ""},
	{"Details", "the value of any other member of the manifest", "bytes"},
	{"Signature", "a file under `sig/`, those under `sig/ext/` apart; `signatures.json`", "bytes"},
	{"SigAll", "all other files under `sig/` together", "bytes"},
	{"SigExt", "all files under `sig/ext/`", "bytes"},
	{"View", "`SHA256SUMS`, `VERIFY.md`", "bytes"},
	{"Files", "files of a bundle, and its directories", ""},
	{"Path", "a path", "bytes"},
	{"Member", "any other file of a bundle", "bytes"},
	{"Bundle", "all files of a bundle; the caller may set another", "bytes"},
	{"ZstdWindow", "the window of the zstd frame", "bytes"},
	{"ExpandFree", "what any frame may unpack to", "bytes"},
	{"Expand", "times its size: what a frame may unpack to above that", ""},
	{"Findings", "findings of one code that a report lists", ""},
	{"Faulty", "lines of a ledger that have a finding of the chain; those of all trails of runs, with those in evidence, together", ""},
	{"FaultyPart", "of such a line, each part of which counts as one", "bytes"},
	{"Document", "not of the format: what people write as YAML", "bytes"},
	{"Embed", "not of the format: an artifact that `relseal cut` copies into its bundle", "bytes"},
}

// The table of limits has every constant of internal/limits with its number.
func TestLimits(t *testing.T) {
	values := limitValues(t)
	var page strings.Builder
	page.WriteString("| what | at most |\n|---|---|\n")
	for _, r := range limitRows {
		n, ok := values[r.name]
		if !ok {
			t.Errorf("internal/limits has no %s", r.name)
		}
		fmt.Fprintf(&page, "| %s | %s |\n", r.what, quantity(n, r.unit))
	}
	for name := range values {
		known := name == "KiB" || name == "MiB" || name == "GiB"
		for _, r := range limitRows {
			known = known || r.name == name
		}
		if !known {
			t.Errorf("%s of internal/limits has no row in limitRows", name)
		}
	}
	generated(t, formatPage, "limits", page.String())
}

// limitValues returns the constants of internal/limits. Go has no reflection for
// constants, so the source is read.
func limitValues(t *testing.T) map[string]int64 {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, root+"/internal/limits/limits.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Importer: importer.Default()}
	pkg, err := config.Check("limits", set, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]int64{}
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok {
			n, exact := constant.Int64Val(constant.ToInt(c.Val()))
			if !exact {
				t.Fatalf("%s is no int64", name)
			}
			values[name] = n
		}
	}
	return values
}

// quantity writes a number for people, exactly.
func quantity(n int64, unit string) string {
	switch unit {
	case "power":
		for p := range 62 {
			if n == 1<<p-1 {
				return fmt.Sprintf("2^%d − 1", p)
			}
		}
	case "bytes":
		for _, u := range []struct {
			size int64
			name string
		}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
			if n%u.size == 0 {
				return fmt.Sprintf("%d %s", n/u.size, u.name)
			}
			if n > u.size && (n+1)%u.size == 0 {
				return fmt.Sprintf("%d %s − 1 byte", (n+1)/u.size, u.name)
			}
		}
		return thousands(n) + " bytes"
	}
	return thousands(n)
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
