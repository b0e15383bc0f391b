package imports

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReach asks the go command, which follows imports into other modules, for
// every system that relseal is built for.
func TestReach(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	var dirs []string
	for _, b := range bans {
		if files, _ := filepath.Glob(filepath.Join(root, b.from, "*.go")); len(files) > 0 {
			dirs = append(dirs, "./"+b.from)
		}
	}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			t.Parallel()
			graph := dependencies(t, tool, goos, dirs)
			for _, b := range bans {
				for _, chain := range b.broken(graph) {
					t.Errorf("%s: %s", b.why, strings.Join(chain, " → "))
				}
			}
		})
	}
}

// dependencies returns the imports of every package that dirs reach.
func dependencies(t *testing.T, tool, goos string, dirs []string) map[string][]string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command(tool, append([]string{"list", "-deps", "-json=ImportPath,Imports"}, dirs...)...)
	cmd.Dir, cmd.Stderr = root, &stderr
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
	}
	graph := map[string][]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		graph[p.ImportPath] = p.Imports
	}
	return graph
}

// broken returns the shortest chain of imports to each banned package at which
// the ban is first broken: what lies behind such a package is not reported.
func (b ban) broken(graph map[string][]string) (chains [][]string) {
	start := module + "/" + b.from
	from := map[string]string{start: ""}
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		p := queue[0]
		if p != start && (within(p, b.what) || path.Base(p) == "private") {
			var chain []string
			for ; p != ""; p = from[p] {
				chain = append(chain, strings.TrimPrefix(p, module+"/"))
			}
			slices.Reverse(chain)
			chains = append(chains, chain)
			continue
		}
		for _, next := range graph[p] {
			if _, seen := from[next]; !seen {
				from[next] = p
				queue = append(queue, next)
			}
		}
	}
	return chains
}

func TestBroken(t *testing.T) {
	graph := map[string][]string{
		module + "/verify": {"fmt", module + "/bundle", "network.test/x"},
		module + "/bundle": {"fmt", "os", module + "/internal/private"},
		"network.test/x":   {"net/http", "netip.test/y", "vendor/golang.org/x/crypto/chacha20"},
		"net/http":         {"net", "crypto/tls"},
	}
	got := ban{from: "verify", what: offline}.broken(graph)
	want := [][]string{{"verify", "bundle", "internal/private"}, {"verify", "network.test/x", "net/http"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}
