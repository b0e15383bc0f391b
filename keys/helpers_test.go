package keys

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/keys/private"
	"github.com/relseal/relseal/sign"
)

// seeded returns the key of a constant seed, the same in every run.
func seeded(t testing.TB, n byte) *private.Key {
	t.Helper()
	p, err := private.Generate(bytes.NewReader(bytes.Repeat([]byte{n}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// keyFile writes a file that only the owner may read, and returns its name.
func keyFile(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "release.key")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func block(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func oneLine(t *testing.T, name string, err error) {
	t.Helper()
	if strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 300 {
		t.Errorf("%s: not one line: %q", name, err)
	}
}

var _ sign.Verifiers = (*Trusted)(nil)
