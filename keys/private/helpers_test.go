package private

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/sign"
)

// seeded returns the key of a constant seed, the same in every run.
func seeded(t testing.TB, n byte) *Key {
	t.Helper()
	p, err := Generate(bytes.NewReader(bytes.Repeat([]byte{n}, 32)))
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

func pass(text string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), nil }
}

// noPass fails the test if the passphrase is asked for.
func noPass(t testing.TB) func() ([]byte, error) {
	return func() ([]byte, error) {
		t.Helper()
		t.Error("asked for a passphrase that is not needed")
		return nil, nil
	}
}

func block(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

// command runs a program, and skips the test where it is not installed.
func command(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// signs holds that p signs for the key it says it is.
func signs(t *testing.T, name string, p *Key) {
	t.Helper()
	message := []byte("manifest")
	sig, err := p.Sign(message)
	if err != nil || !p.Public().Verify(message, sig) {
		t.Errorf("%s: signature %v, error %v", name, sig, err)
	}
}

func oneLine(t *testing.T, name string, err error) {
	t.Helper()
	if strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 300 {
		t.Errorf("%s: not one line: %q", name, err)
	}
}

var _ sign.Signer = (*Key)(nil)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
