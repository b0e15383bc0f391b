package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/relseal/relseal/internal/regular"
)

// TestVerifyFileMedium: where the release beside a file cannot be read for a fault of the
// medium, there is no answer, although the AuditBundle beside it names the file, too.
func TestVerifyFileMedium(t *testing.T) {
	const vectors = "../../testdata/vectors/"
	dir := t.TempDir()
	for name, from := range map[string]string{"demo": "artifacts/out/demo", "d.audit.tar.zst": "good-audit.tar.zst", "d.release.tar.zst": "good-release.tar.zst"} {
		data, err := os.ReadFile(filepath.Join(vectors, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() int {
		args := []string{"relseal", "verify", filepath.Join(dir, "demo"), "--key", filepath.Join(vectors, "keys/release.pub")}
		return Main(context.Background(), args, strings.NewReader(""), io.Discard, io.Discard)
	}
	if code := ask(); code != 0 {
		t.Fatalf("exit %d", code)
	}
	defer regular.Inject(func(op, path string) error {
		if strings.HasSuffix(path, ".release.tar.zst") {
			return syscall.EIO
		}
		return nil
	})()
	if code := ask(); code != 74 {
		t.Errorf("exit %d with a medium that fails, want 74", code)
	}
}
