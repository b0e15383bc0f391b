package comb

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/relseal/relseal/sign"
)

func vector[T any](t *testing.T, name string) (v T) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/foreign", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// byKey collects the cases of a file. Signatures of another length than 64 are
// no sign.Signature and are left out.
type byKey map[string][]pair

func (m byKey) add(key, message, sig []byte) {
	if len(sig) == len(sign.Signature{}) {
		m[string(key)] = append(m[string(key)], pair{message, sign.Signature(sig)})
	}
}

// check compares every case with crypto/ed25519, and their number and the
// numbers of those that are accepted with what they were when this was written.
func (m byKey) check(t *testing.T, count, library, fast int) {
	t.Helper()
	for _, width := range widths {
		n, l, f := 0, 0, 0
		for key, pairs := range m {
			n += len(pairs)
			dl, df := agree(t, []byte(key), width, pairs)
			l, f = l+dl, f+df
		}
		if n != count || l != library || f != fast {
			t.Errorf("width %d: of %d cases crypto/ed25519 accepts %d and the tables %d; want %d, %d, %d", width, n, l, f, count, library, fast)
		}
	}
}

func TestWycheproof(t *testing.T) {
	type file struct {
		TestGroups []struct {
			PublicKey struct{ PK string }
			Tests     []struct{ Msg, Sig string }
		}
	}
	cases := byKey{}
	for _, g := range vector[file](t, "wycheproof/ed25519_test.json").TestGroups {
		for _, tt := range g.Tests {
			cases.add(unhex(t, g.PublicKey.PK), unhex(t, tt.Msg), unhex(t, tt.Sig))
		}
	}
	cases.check(t, 139, 88, 88)
}

// TestCCTV has points of small and mixed order in every combination of key and R
// and in every encoding. The tables leave to crypto/ed25519 the 39 cases where
// R is the identity or the point of order two.
func TestCCTV(t *testing.T) {
	type row struct{ Key, Sig, Msg string }
	cases := byKey{}
	for _, tt := range vector[[]row](t, "cctv-ed25519/ed25519vectors.json") {
		cases.add(unhex(t, tt.Key), []byte(tt.Msg), unhex(t, tt.Sig))
	}
	cases.check(t, 914, 208, 169)
}

func TestSpeccheck(t *testing.T) {
	type row struct {
		Message   string
		PubKey    string `json:"pub_key"`
		Signature string
	}
	cases := byKey{}
	for _, tt := range vector[[]row](t, "ed25519-speccheck/cases.json") {
		cases.add(unhex(t, tt.PubKey), unhex(t, tt.Message), unhex(t, tt.Signature))
	}
	cases.check(t, 12, 5, 5)
}
