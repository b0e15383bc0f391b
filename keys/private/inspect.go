package private

import (
	"errors"
	"fmt"

	"github.com/relseal/relseal/internal/keyfile"
	"github.com/relseal/relseal/sign"
)

// An Info is what can be said of a key file without a passphrase.
type Info struct {
	File      string         `json:"file"`
	Form      string         `json:"form"`
	Private   bool           `json:"private"`
	Encrypted bool           `json:"encrypted"`
	ID        *sign.KeyID    `json:"id"`      // null if only the passphrase would tell, or the key is weak
	Weak      bool           `json:"weak"`    // a public key that never loads: see sign.ErrWeakKey
	Mode      *string        `json:"mode"`    // permissions such as "0600"; null on Windows
	Exposed   bool           `json:"exposed"` // a private key that Load refuses for its mode
	Comment   string         `json:"comment"` // of an OpenSSH public key
	Public    sign.PublicKey `json:"-"`       // zero where ID is null
}

// Inspect tells what the key file path holds. It never decrypts: the id of an
// encrypted OpenSSH key is the one on the outside of the file. A key that is weak
// or exposed is told in Info; an error says that the file cannot be read or is no
// key of ours.
func Inspect(path string) (Info, error) {
	data, mode, err := keyfile.Read(path)
	if err != nil {
		return Info{}, err
	}
	doc, err := keyfile.Scan(data)
	if err != nil {
		return Info{}, keyfile.Error(path, err)
	}
	info := Info{File: path, Form: string(doc.Form), Private: doc.Form.Private()}
	if modes {
		text := fmt.Sprintf("%04o", mode.Perm())
		info.Mode = &text
	}
	info.Exposed = info.Private && exposed(mode)

	switch doc.Form {
	case keyfile.PKIX, keyfile.OpenSSHPublic:
		info.Public, info.Comment, err = doc.Public()
	case keyfile.SigstorePrivate:
		info.Encrypted = true
	case keyfile.EncryptedPKCS8:
		info.Encrypted = true
		_, err = parsePBES2(doc.DER)
	case keyfile.OpenSSHPrivate:
		var c container
		if c, info.Public, err = openContainer(doc.DER); err == nil && !c.encrypted() {
			_, err = open(doc, nil)
		}
		info.Encrypted = c.encrypted()
	case keyfile.PKCS8:
		var p *Key
		if p, err = open(doc, nil); err == nil {
			info.Public = p.Public()
		}
	}
	if errors.Is(err, sign.ErrWeakKey) {
		info.Weak, err = true, nil
	}
	if err != nil {
		return Info{}, keyfile.Error(path, err)
	}
	if !info.Public.IsZero() {
		id := info.Public.KeyID()
		info.ID = &id
	}
	return info, nil
}
