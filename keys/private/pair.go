package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/relseal/relseal/internal/durable"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/keyfile"
)

const (
	privateMode = 0o600
	publicMode  = 0o644
)

// WritePair writes the private key to path and, beside it with the extension
// replaced, the public key twice: as .pub (PKIX PEM) and as .ssh.pub (an OpenSSH
// line with comment). For release.key these are release.pub and release.ssh.pub.
// The private key is encrypted if passphrase is not nil, and only its owner may
// read it. WritePair returns the three names in this order.
//
// A file that exists is never overwritten: the error wraps fs.ErrExist. The
// private key comes last, so that where it stands its public keys do too; after
// an error, none of the three is left, and what a call leaves that is killed, the
// next one in that directory removes.
func WritePair(path string, p *Key, passphrase []byte, comment string) ([]string, error) {
	return writePair(path, p, passphrase, comment, durable.WriteFile)
}

type writer func(path string, data []byte, perm fs.FileMode, replace bool) error

func writePair(path string, p *Key, passphrase []byte, comment string, write writer) ([]string, error) {
	names, err := pairNames(path)
	if err != nil {
		return nil, err
	}
	durable.Sweep(filepath.Dir(path))
	for _, name := range names {
		if _, err := os.Lstat(name); err == nil {
			return nil, pairError(name, fs.ErrExist)
		}
	}
	secret, err := p.encode(passphrase)
	if err != nil {
		return nil, keyfile.Error(path, err)
	}
	files := []struct {
		name string
		data []byte
		mode fs.FileMode
	}{
		{names[1], p.Public().PEM(), publicMode},
		{names[2], p.Public().AuthorizedKey(comment), publicMode},
		// A key exists from here on: what follows has only to report it.
		{names[0], secret, privateMode},
	}
	group, err := durable.Together(filepath.Dir(path), []durable.Member{
		{Name: filepath.Base(names[1]), Data: files[0].data}, {Name: filepath.Base(names[2]), Data: files[1].data}, {Name: filepath.Base(names[0]), Data: secret},
	})
	if err != nil {
		return nil, pairError(names[1], err)
	}
	defer group.Done()
	var written []string
	for _, f := range files {
		if err := write(f.name, f.data, f.mode, false); err != nil {
			if pe, ok := errors.AsType[*fs.PathError](err); ok && pe.Op == "sync" {
				written = append(written, f.name) // whole and ours, but a crash may undo it
			}
			for _, name := range written {
				os.Remove(name)
			}
			return nil, pairError(f.name, err)
		}
		written = append(written, f.name)
	}
	return names, nil
}

func (p *Key) encode(passphrase []byte) ([]byte, error) {
	if passphrase == nil {
		return p.PKCS8PEM()
	}
	return p.EncryptedPEM(passphrase)
}

// pairNames returns the names of the private key, the PEM and the OpenSSH line.
func pairNames(path string) ([]string, error) {
	base := filepath.Base(path)
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	switch {
	case path == "", os.IsPathSeparator(path[len(path)-1]), stem == "", stem == ".":
		return nil, keyfile.Error(path, errors.New("is no name for a key file"))
	case strings.EqualFold(ext, ".pub"):
		return nil, hint.With(keyfile.Error(path, errors.New("ends in .pub, which is for the public key")), "name the private key, such as release.key")
	}
	beside := filepath.Join(filepath.Dir(path), stem)
	return []string{path, beside + ".pub", beside + ".ssh.pub"}, nil
}

func pairError(name string, err error) error {
	next := ""
	switch {
	case errors.Is(err, fs.ErrExist):
		next = "keys are never overwritten: choose another name, or move the old key away"
	case errors.Is(err, fs.ErrNotExist):
		next = "make the directory first: mkdir -m 700 -p " + keyfile.Shell(filepath.Dir(name))
	}
	return hint.With(keyfile.Error(name, err), next)
}
