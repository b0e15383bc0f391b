package bundle

import (
	"bytes"
	"fmt"
	"io"

	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/sign"
)

// A Content is a file to seal: what the manifest will say of it, and a way to
// read it. Sealing reads it once more and fails if it is not the same.
type Content struct {
	Path string
	Role string
	Size int64 // bytes
	Hash sign.Digest
	Open func() (io.ReadCloser, error)
}

// FileContent returns the regular file called name, hashed, as the file of a
// bundle at path. Links and special files are refused.
func FileContent(path, role, name string) (Content, error) {
	c := Content{Path: path, Role: role, Open: func() (io.ReadCloser, error) {
		f, err := regular.OpenSelf(name)
		if err != nil {
			return nil, err // and no File that is nil
		}
		return f, nil
	}}
	f, err := regular.OpenSelf(name)
	if err != nil {
		return Content{}, err
	}
	defer f.Close()
	if c.Hash, c.Size, err = sign.SumReader(io.LimitReader(f, limits.Member+1)); err != nil {
		return Content{}, err
	}
	if c.Size > limits.Member {
		return Content{}, fmt.Errorf("%s has more than %d bytes, the most that a file of a bundle can have", name, int64(limits.Member))
	}
	return c, nil
}

// BytesContent returns data as the file of a bundle at path.
func BytesContent(path, role string, data []byte) Content {
	return Content{
		Path: path, Role: role, Size: int64(len(data)), Hash: sign.Sum(data),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}
