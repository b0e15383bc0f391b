package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/internal/cli/ui"
	"github.com/relseal/relseal/internal/escape"
	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/regular"
	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/root"
	"github.com/relseal/relseal/sign"
)

// The files of a payload. Each is signed as it is; its signature, 64 raw bytes, has
// the same name and .sig. The manifest is for ssh-keygen -Y sign, which wraps it on
// its own; sshsig.message is what it wraps, for those who have no ssh-keygen.
const (
	payloadID        = "bundle.id"      // 32 raw bytes
	payloadStatement = "statement.pae"  // of the DSSE envelope
	payloadSSH       = "sshsig.message" // of the SSHSIG
	payloadManifest  = "manifest.json"
)

func (s sealed) payload() (map[string][]byte, error) {
	statement, err := sign.Statement(s.manifest, s.sums, s.predicate)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		payloadID:        s.id[:],
		payloadStatement: sign.PAE(sign.PayloadType, statement),
		payloadSSH:       sign.SSHSIGMessage(sign.Namespace, s.manifest),
		payloadManifest:  s.manifest,
	}, nil
}

func writePayload(env *ui.Env, c *cli.Context, s sealed, dir string) error {
	files, err := s.payload()
	if err != nil {
		return err
	}
	if err := ui.WriteNewDir(dir, files); err != nil {
		return err
	}
	names := ui.SortedPaths(files)
	return env.Print(c, struct {
		Schema string      `json:"schema"`
		Dir    string      `json:"dir"`
		ID     sign.Digest `json:"id"`
		Role   string      `json:"role"`
		Files  []string    `json:"files"`
	}{"relseal/bundle-payload/v1", dir, s.id, s.role, names}, fmt.Sprintf(
		"wrote %s\n  bundle %s, to be signed as %s\n  sign %s, %s and %s as they are, each into a file with .sig after its name;\n  instead of the last, ssh-keygen -Y sign -n %s %s will do\n",
		escape.Line(dir), s.id, s.role, payloadID, payloadStatement, payloadSSH, sign.Namespace, payloadManifest))
}

// attached returns the three files of a signer made of what was signed elsewhere.
func (s sealed) attached(dir string, key sign.PublicKey) (map[string][]byte, error) {
	files, err := s.payload()
	if err != nil {
		return nil, err
	}
	id, err := rawSignature(filepath.Join(dir, payloadID+".sig"), files[payloadID], key)
	if err != nil {
		return nil, err
	}
	made, err := rawSignature(filepath.Join(dir, payloadStatement+".sig"), files[payloadStatement], key)
	if err != nil {
		return nil, err
	}
	ssh, err := s.sshSignature(dir, files[payloadSSH], key)
	if err != nil {
		return nil, err
	}
	statement, err := sign.Statement(s.manifest, s.sums, s.predicate)
	if err != nil {
		return nil, err
	}
	wrapped, err := sign.SigstoreBundle(key, statement, made)
	if err != nil {
		return nil, err
	}
	return bundle.Further(key.KeyID(), id, wrapped, sign.SSHSIG(key, sign.Namespace, ssh)), nil
}

// sshSignature takes the raw signature, or else what ssh-keygen wrote.
func (s sealed) sshSignature(dir string, message []byte, key sign.PublicKey) (sign.Signature, error) {
	sig, err := rawSignature(filepath.Join(dir, payloadSSH+".sig"), message, key)
	if !errors.Is(err, fs.ErrNotExist) {
		return sig, err
	}
	name := filepath.Join(dir, payloadManifest+".sig")
	data, otherErr := regular.ReadFile(name, limits.Signature)
	if otherErr != nil {
		return sig, err
	}
	if sig, err = sign.SSHSIGSignature(data); err != nil {
		return sig, fmt.Errorf("%s: %w", name, err)
	}
	if !key.Verify(message, sig) {
		return sig, notSignedBy(name, key)
	}
	return sig, nil
}

func rawSignature(name string, message []byte, key sign.PublicKey) (sign.Signature, error) {
	data, err := regular.ReadFile(name, limits.Signature)
	if err != nil {
		return sign.Signature{}, hint.With(err, "relseal bundle sign --payload DIR says what has to be signed")
	}
	if len(data) != len(sign.Signature{}) || !key.Verify(message, sign.Signature(data)) {
		return sign.Signature{}, notSignedBy(name, key)
	}
	return sign.Signature(data), nil
}

func notSignedBy(name string, key sign.PublicKey) error {
	return hint.With(fmt.Errorf("%s: not a signature of this bundle by %s", name, key.KeyID()), "openssl pkeyutl -sign -rawin makes the 64 bytes that are expected")
}

// rootCopies returns the signed versions in a directory by their places in a bundle.
func rootCopies(dir string) (map[string][]byte, error) {
	roots, err := keys.OpenRoots(dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	if roots.Chain == nil {
		return files, nil
	}
	first, last := roots.Chain.Versions()
	for n := first; n <= last; n++ {
		r, _ := roots.Chain.At(n)
		if files[bundle.SigRootDir+root.FileName(n)], err = r.Marshal(); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// withKey trusts one key more.
type withKey struct {
	sign.Verifiers
	key sign.PublicKey
}

func (w withKey) Verifier(id sign.KeyID) (sign.PublicKey, bool) {
	if id == w.key.KeyID() {
		return w.key, true
	}
	return w.Verifiers.Verifier(id)
}

func keyIDOf(key *sign.PublicKey) *sign.KeyID {
	if key == nil {
		return nil
	}
	id := key.KeyID()
	return &id
}
