package root_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/relseal/relseal/keys/root"
)

// goTUF walks over a chain as go-tuf's client does and returns the last version.
func goTUF(files [][]byte) (int64, error) {
	var trusted *metadata.Metadata[metadata.RootType]
	for _, data := range files {
		next, err := metadata.Root().FromBytes(data)
		if err != nil {
			return 0, err
		}
		if trusted != nil {
			if next.Signed.Version != trusted.Signed.Version+1 {
				return trusted.Signed.Version, fmt.Errorf("version %d after %d", next.Signed.Version, trusted.Signed.Version)
			}
			if err := trusted.VerifyDelegate(metadata.ROOT, next); err != nil {
				return trusted.Signed.Version, err
			}
		}
		if err := next.VerifyDelegate(metadata.ROOT, next); err != nil {
			return 0, err
		}
		trusted = next
	}
	return trusted.Signed.Version, nil
}

// What TUF clients are not asked: they know neither the extension nor our encoding,
// and are given no copies of versions that a chain has already.
var oursAlone = map[string]bool{"good-repeated": true, "good-more-signatures": true, "good-older": true}

// refusedByTUF are the cases that every TUF client refuses, too.
var refusedByTUF = []string{
	"first-unsigned", "first-half-signed", "first-signed-by-another", "first-signature-damaged", "first-threshold-0", "first-threshold-more",
	"first-threshold-gone", "first-root-key-twice", "first-type", "first-empty",
	"next-old-signature-missing", "next-new-signature-missing", "next-taken-over", "next-extension-changed", "next-fork", "missing-link", "next-after-bad",
	"next-threshold-0", "next-threshold-more", "next-threshold-gone", "next-root-key-twice", "next-self-appointed", "out-of-order",
}

// holdAgainst compares the answers of a TUF client with ours: what we accept it
// accepts, up to the same version, and it refuses what concerns TUF.
func holdAgainst(t *testing.T, client string, walk func(rooted) (int64, error)) {
	t.Helper()
	met := 0
	for _, r := range roots() {
		if oursAlone[r.name] {
			continue
		}
		last, err := walk(r)
		if r.answer() == "VERIFIED" && (err != nil || last != r.last) {
			t.Errorf("%s: %s refuses it, or ends at %d: %v", r.name, client, last, err)
		}
		if slices.Contains(refusedByTUF, r.name) {
			if met++; err == nil {
				t.Errorf("%s: %s takes it", r.name, client)
			}
		}
	}
	if met != len(refusedByTUF) {
		t.Errorf("%d of %d cases are there", met, len(refusedByTUF))
	}
}

func TestGoTUF(t *testing.T) {
	holdAgainst(t, "go-tuf", func(r rooted) (int64, error) { return goTUF(r.roots) })
}

// TestTUFJS asks tuf-js. NODE_PATH has to lead to its package @tufjs/models.
func TestTUFJS(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	if err := exec.Command(node, "-e", "require('@tufjs/models')").Run(); err != nil {
		t.Skip("NODE_PATH does not lead to the npm package @tufjs/models")
	}
	type asked struct {
		Name  string   `json:"name"`
		Roots []string `json:"roots"`
	}
	var all []asked
	for _, r := range roots() {
		a := asked{Name: r.name}
		for _, data := range r.roots {
			a.Roots = append(a.Roots, string(data))
		}
		all = append(all, a)
	}
	input, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "testdata/tuf.js")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []struct {
		Name  string
		Last  int64
		Error string
	}
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(all) {
		t.Fatalf("%d answers: %v", len(answers), err)
	}
	holdAgainst(t, "tuf-js", func(r rooted) (int64, error) {
		for _, a := range answers {
			if a.Name == r.name && a.Error != "" {
				return a.Last, errors.New(a.Error)
			} else if a.Name == r.name {
				return a.Last, nil
			}
		}
		return 0, errors.New("no answer")
	})
}

// TestCanonicalForms holds that go-tuf signs the bytes that we sign: the canonical
// forms are the same for everything that a root can hold.
func TestCanonicalForms(t *testing.T) {
	for _, r := range goodRoots() {
		for _, data := range r.roots {
			mine, err := root.Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := metadata.Root().FromBytes(data)
			if err != nil {
				t.Fatal(err)
			}
			for id, k := range theirs.Signed.Keys {
				if got, err := k.ID(); err != nil || got != id {
					t.Errorf("%s: go-tuf calls key %s %s (%v)", r.name, id, got, err)
				}
			}
			signed, err := theirs.Signed.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			var a, b any
			if json.Unmarshal(signed, &a) != nil || json.Unmarshal(mine.Message(), &b) != nil {
				t.Fatal("not JSON")
			}
			if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
				t.Errorf("%s: go-tuf loses something:\n%s\n%s", r.name, x, y)
			}
		}
	}
}

// TestOtherChains reads the chains of other implementations: go-tuf accepts them,
// and we say of each why it is none of ours, without a crash.
func TestOtherChains(t *testing.T) {
	sets, err := filepath.Glob("../../testdata/foreign/tuf-conformance/*/metadata")
	if err != nil || len(sets) != 2 {
		t.Fatalf("the chains %q, want two (%v)", sets, err)
	}
	for _, set := range sets {
		var chain [][]byte
		for n := int64(1); ; n++ {
			data, err := os.ReadFile(filepath.Join(set, root.FileName(n)))
			if err != nil {
				break
			}
			chain = append(chain, data)
			_, err = root.Parse(data)
			e, ok := err.(*root.Error)
			if !ok || e.FindingCode() != "E_ROOT" {
				t.Errorf("%s: version %d: %v", set, n, err)
			}
		}
		// Where clients are told to begin; earlier versions have keys in forms that go-tuf no longer reads.
		initial, err := os.ReadFile(filepath.Join(set, "../initial_root.json"))
		from := slices.IndexFunc(chain, func(data []byte) bool { return bytes.Equal(data, initial) })
		if err != nil || from < 0 {
			t.Fatalf("%s: no initial root: %v", set, err)
		}
		if last, err := goTUF(chain[from:]); err != nil || last != int64(len(chain)) {
			t.Errorf("%s: go-tuf stops after version %d: %v", set, last, err)
		}
	}
}

// TestEveryByte changes each byte of a signed version: none is accepted as another
// version, and what still parses is refused by its signatures.
func TestEveryByte(t *testing.T) {
	for i := range pinned {
		for _, bit := range []byte{1, 0x20, 0x80} {
			data := bytes.Clone(pinned)
			data[i] ^= bit
			if _, err := root.Pin(data); err == nil {
				t.Fatalf("byte %d changed by %#x, and the root is accepted", i, bit)
			}
		}
	}
	for n := range pinned {
		if _, err := root.Parse(pinned[:n]); err == nil {
			t.Fatalf("the first %d bytes are accepted", n)
		}
	}
}
