package recipes

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/relseal/relseal/keys/private"
)

// makeKey makes a key, encrypted unless secret is nil, and returns its two files.
// Where people make one they are asked for the passphrase on a terminal.
func makeKey(t *testing.T, secret []byte) (secretFile, publicFile string) {
	t.Helper()
	key, err := private.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	names, err := private.WritePair(filepath.Join(t.TempDir(), "release.key"), key, secret, "relseal")
	if err != nil {
		t.Fatal(err)
	}
	return names[0], names[1]
}

// version returns what relseal version says.
func version(t *testing.T) string {
	t.Helper()
	var v struct{ Version string }
	if err := json.Unmarshal([]byte(must(t, "", nil, "relseal", "version", "--json")), &v); err != nil || v.Version == "" {
		t.Fatal(err)
	}
	return v.Version
}

// A report is what these tests read of relseal/report/v1.
type report struct {
	Valid  bool
	Bundle struct{ ID, Kind string }
	Claims []claim
}

type claim struct{ ID, Text string }

func (r report) claims(id string) bool {
	return slices.ContainsFunc(r.Claims, func(c claim) bool { return c.ID == id })
}

// verified returns the report of a bundle that must verify.
func verified(t *testing.T, file, public string) report {
	t.Helper()
	out := must(t, "", nil, "relseal", "verify-bundle", file, "--key", public, "--strict", "--json")
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil || !r.Valid {
		t.Fatalf("%s: %v\n%s", file, err, out)
	}
	return r
}

// bundleFiles returns the files of a tar.zst, by other code than the product's.
func bundleFiles(t *testing.T, file string) map[string][]byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err == nil {
			files[h.Name], err = io.ReadAll(r)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
}

// An event is what these tests read of one.
type event struct {
	Actor, Action, Path, Status string
	RNG                         struct{ Seed string }
	Inputs, Outputs             struct{ Items []struct{ Hash, URI string } }
	Details                     struct {
		CI     json.RawMessage
		Source struct{ Commit string }
	}
}

// events returns those of the trail in an audit bundle.
func events(t *testing.T, bundle string) []event {
	t.Helper()
	var all []event
	lines := bufio.NewScanner(bytes.NewReader(bundleFiles(t, bundle)["audit/trail.jsonl"]))
	lines.Buffer(nil, 1<<21)
	for lines.Scan() {
		var line struct{ E *event }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.E != nil { // nil in the genesis
			all = append(all, *line.E)
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s: no events, %v", bundle, lines.Err())
	}
	return all
}

// runStart returns the first event.
func runStart(t *testing.T, bundle string) event {
	t.Helper()
	first := events(t, bundle)[0]
	if first.Action != "run.start" {
		t.Fatalf("the first event is %s", first.Action)
	}
	return first
}

// actions returns the actions of the events with their steps, in order.
func actions(all []event) string {
	var words []string
	for _, e := range all {
		words = append(words, strings.TrimSuffix(e.Action+":"+e.Path, ":"))
	}
	return strings.Join(words, " ")
}
