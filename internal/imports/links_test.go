package imports

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A link says what a program links that imports the given packages, beside the standard
// library: how many packages, and the modules of others.
type link struct {
	name     string
	packages []string
	most     int
	mods     []string
}

// The modules are held exactly, so that one that came or went is seen by whoever did it.
// The number of packages leaves room for a package of ours that becomes two.
var links = []link{
	{"relseal-verify", []string{"cmd/relseal-verify"}, 48, []string{edwards, jsonv2, compress, xsys}},
	{"a program that verifies", []string{"verify", "keys"}, 48, []string{edwards, jsonv2, compress, xsys}},
	// Whoever follows the README compiles all of it first. The last five come with the flag
	// library, which turns its own help into a page, and with sigstore's form of a key.
	{"relseal", []string{"cmd/relseal"}, 140, []string{
		edwards, jsonv2, compress, xsys, sigstore, xcrypto, yaml, "github.com/urfave/cli/v2", "golang.org/x/term",
		"github.com/cpuguy83/go-md2man/v2", "github.com/russross/blackfriday/v2", "github.com/xrash/smetrics",
		"github.com/secure-systems-lab/go-securesystemslib", "github.com/youmark/pkcs8",
	}},
}

// TestLinks asks the go command what each program links on Linux.
func TestLinks(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	for _, l := range links {
		packages, mods := linked(t, tool, l.packages)
		if packages > l.most || !slices.Equal(mods, slices.Sorted(slices.Values(l.mods))) {
			t.Errorf("%s links %d packages and the modules %s; the table says at most %d and %s", l.name, packages, list(mods), l.most, list(l.mods))
		}
	}
}

// linked returns how many packages beside the standard library those of dirs reach, and
// the third-party modules in which they are.
func linked(t *testing.T, tool string, dirs []string) (packages int, mods []string) {
	t.Helper()
	args := []string{"list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}"}
	for _, dir := range dirs {
		args = append(args, "./"+dir)
	}
	cmd := exec.Command(tool, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	for line := range bytes.Lines(out) {
		mod := strings.TrimSpace(string(line))
		if mod == "" {
			continue
		}
		packages++
		if mod != module && !slices.Contains(mods, mod) {
			mods = append(mods, mod)
		}
	}
	slices.Sort(mods)
	return packages, mods
}
