package bundle

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/finding"
	"github.com/relseal/relseal/sign"
)

// Further returns the paths and contents of a further signer's three files.
func Further(id sign.KeyID, sig sign.Signature, sigstoreBundle, sshsig []byte) map[string][]byte {
	dir := SigByDir + id.Hex() + "/"
	return map[string][]byte{
		dir + strings.TrimPrefix(SigIDPath, sigDir):   sig[:],
		dir + strings.TrimPrefix(SigDSSEPath, sigDir): sigstoreBundle,
		dir + strings.TrimPrefix(SigSSHPath, sigDir):  sshsig,
	}
}

// AddSigned copies the bundle called name to w as tar.zst, with more files under
// sig/by/ and sig/root/, and returns its bundle.id, which they do not change. A file
// that is there already stays, if it is the same, and is an error otherwise. The
// caller has verified the bundle; damage that has come since ends the copy.
func AddSigned(w io.Writer, name string, add map[string][]byte) (sign.Digest, error) {
	for path := range add {
		if !strings.HasPrefix(path, SigByDir) && !strings.HasPrefix(path, SigRootDir) {
			return sign.Digest{}, fmt.Errorf("%s: %w", path, errSealed)
		}
	}
	var fault error
	src, err := Open(name, func(f finding.Finding) {
		if fault == nil && f.Verdict == finding.Reject {
			fault = fmt.Errorf("%s: %w", name, f.Err())
		}
	})
	if err != nil {
		return sign.Digest{}, err
	}
	defer src.Close()
	z, err := newZstdWriter(w)
	if err != nil {
		return sign.Digest{}, err
	}
	a := adder{tar: &tarWriter{w: z}, add: add, left: slices.SortedFunc(maps.Keys(add), compare)}
	for {
		e, err := src.Next()
		if fault != nil {
			return sign.Digest{}, fault
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = a.entry(e)
		}
		if err != nil {
			return sign.Digest{}, err
		}
	}
	if err := a.until("~"); err != nil {
		return sign.Digest{}, err
	}
	if err := errors.Join(a.tar.end(), z.Close()); err != nil {
		return sign.Digest{}, err
	}
	return a.id, nil
}

// adder copies entries and puts the files to add in their places.
type adder struct {
	tar  *tarWriter
	add  map[string][]byte
	left []string // paths of add that are not written, in the order of a bundle
	id   sign.Digest
}

func (a *adder) entry(e *Entry) error {
	if err := a.until(e.Path); err != nil {
		return err
	}
	if len(a.left) > 0 && a.left[0] == e.Path {
		a.left = a.left[1:]
		data, err := io.ReadAll(e.Body)
		if err == nil && string(data) != string(a.add[e.Path]) {
			err = fmt.Errorf("%s: is in the bundle already, and another one", e.Path)
		}
		if err != nil {
			return err
		}
		return a.tar.add(e.Path, e.Size, strings.NewReader(string(data)))
	}
	h := sha256.New()
	if err := a.tar.add(e.Path, e.Size, io.TeeReader(e.Body, h)); err != nil {
		return err
	}
	if e.Path == ManifestPath {
		a.id = sign.Digest(h.Sum(nil))
	}
	return nil
}

// until writes the files that come before path.
func (a *adder) until(path string) error {
	for len(a.left) > 0 && compare(a.left[0], path) < 0 {
		data := a.add[a.left[0]]
		if err := a.tar.add(a.left[0], int64(len(data)), strings.NewReader(string(data))); err != nil {
			return err
		}
		a.left = a.left[1:]
	}
	return nil
}
