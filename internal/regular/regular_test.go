package regular_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/relseal/relseal/internal/regular"
)

func TestReadFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := regular.ReadFile(name, 5); string(data) != "12345" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := regular.ReadFile(name, 4); err == nil || !strings.Contains(err.Error(), "more than 4 bytes") {
		t.Errorf("of 5 bytes: %v", err)
	}
	if _, err := regular.ReadFile(name+"no", 4); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
	if _, err := regular.ReadFile(filepath.Dir(name), 4); err == nil || !strings.Contains(err.Error(), "is a directory, not a regular file") {
		t.Errorf("of a directory: %v", err)
	}
}

// A file that grows while it is read is read as far as it goes then.
func TestGrows(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := regular.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	first := make([]byte, 1)
	_, one := io.ReadFull(f, first)
	more := os.WriteFile(name, []byte("123"), 0o600)
	rest, two := io.ReadAll(f)
	if err := errors.Join(one, more, two); err != nil || string(rest) != "23" {
		t.Errorf("%q, %v", rest, err)
	}
}

// Every call to the medium can be made to fail, and says which one it was.
func TestInject(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"open", "read"} {
		undo := regular.Inject(func(o, path string) error {
			if o == op && path == name {
				return syscall.EIO
			}
			return nil
		})
		_, err := regular.ReadFile(name, 5)
		undo()
		path, ok := errors.AsType[*fs.PathError](err)
		if !ok || path.Op != op || !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v", op, err)
		}
	}
	if _, err := regular.ReadFile(name, 5); err != nil {
		t.Error(err)
	}
}
