package durable

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/relseal/relseal/internal/regular"
)

// keyLimit is more than a file of one private key has.
const keyLimit = 64 << 10

// Replaceable returns an error if a new file must not take the place of path: what is
// there is a device, say, or holds a private key. A file that cannot be read may be one.
func Replaceable(path string) error {
	if _, err := os.Lstat(path); err != nil {
		return nil // nothing is lost
	}
	f, err := regular.Open(path)
	if errors.Is(err, fs.ErrNotExist) { // a link that leads nowhere
		return nil
	}
	if err != nil {
		return at("create", path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, keyLimit))
	if err != nil {
		return at("create", path, err)
	}
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); bytes.HasPrefix(line, []byte("-----BEGIN ")) && bytes.HasSuffix(line, []byte("PRIVATE KEY-----")) {
			return at("create", path, errors.New("holds a private key, which is never overwritten"))
		}
	}
	return nil
}
