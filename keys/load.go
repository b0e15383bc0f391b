package keys

import (
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"golang.org/x/crypto/ssh"

	"github.com/relseal/relseal/internal/hint"
)

var (
	// ErrPassphrase reports an encrypted private key for which no passphrase is
	// available.
	ErrPassphrase = errors.New("the private key is encrypted and there is no passphrase")

	// ErrWrongPassphrase reports a passphrase that does not open the key. Damage
	// to the encrypted part looks the same.
	ErrWrongPassphrase = errors.New("wrong passphrase, or the file is damaged")

	// ErrExposed reports a private key file that group or others may use.
	ErrExposed = errors.New("the private key is open to other users")
)

// LoadPrivate reads the private key file path. It calls passphrase only if the
// key is encrypted; nil, and a function that returns nothing, mean that there is
// none. The errors to tell apart are fs.ErrNotExist, ErrPassphrase,
// ErrWrongPassphrase and ErrExposed.
func LoadPrivate(path string, passphrase func() ([]byte, error)) (*Private, error) {
	data, mode, err := readFile(path)
	if err != nil {
		return nil, err
	}
	doc, err := scan(data)
	if err != nil {
		return nil, fileError(path, err)
	}
	if !doc.form.private() {
		return nil, fileError(path, hint.With(errors.New("holds a public key, not a private one"), wantsPrivateHint))
	}
	if exposed(mode) {
		err := fmt.Errorf("%w (mode %04o)", ErrExposed, mode.Perm())
		return nil, fileError(path, hint.With(err, "chmod 600 "+shell(path)))
	}
	p, err := doc.private(passphrase)
	if err != nil {
		return nil, fileError(path, err)
	}
	return p, nil
}

// private returns the key of a document of private form.
func (d document) private(passphrase func() ([]byte, error)) (*Private, error) {
	switch d.form {
	case PKCS8:
		return parsePKCS8(d.der)
	case SigstorePrivate:
		return openSigstore(d.text, passphrase)
	case OpenSSHPrivate:
		return openOpenSSH(d, passphrase)
	default:
		return openPBES2(d.der, passphrase)
	}
}

// parsePKCS8 accepts the version 1 structure without attributes, as everybody
// writes it; x509 alone ignores what follows the key.
func parsePKCS8(der []byte) (*Private, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("holds a damaged PKCS#8 private key, or one that is not Ed25519")
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, notEd25519(parsed)
	}
	if again, err := x509.MarshalPKCS8PrivateKey(key); err != nil || string(again) != string(der) {
		return nil, hint.With(errors.New("holds more than the private key inside its PKCS#8 structure"),
			"write it anew: openssl pkey -in old.key -out new.key")
	}
	return newPrivate(key)
}

// openSigstore decrypts the form of cosign and of EncryptedPEM.
func openSigstore(text []byte, passphrase func() ([]byte, error)) (*Private, error) {
	secret, err := ask(passphrase)
	if err != nil {
		return nil, err
	}
	parsed, err := cryptoutils.UnmarshalPEMToPrivateKey(text, cryptoutils.StaticPasswordFunc(secret))
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "decryption failed"): // the module exports no error for it
		return nil, ErrWrongPassphrase
	default:
		return nil, fmt.Errorf("holds a damaged encrypted private key: %w", err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, notEd25519(parsed)
	}
	return newPrivate(key)
}

// openOpenSSH reads OpenSSH's private key format, and holds that the public key
// on its outside, which ssh-keygen -l and Inspect show, is the one inside.
func openOpenSSH(d document, passphrase func() ([]byte, error)) (*Private, error) {
	c, outside, err := openContainer(d.der)
	if err != nil {
		return nil, err
	}
	var parsed any
	if c.encrypted() {
		var secret []byte
		if secret, err = ask(passphrase); err != nil {
			return nil, err
		}
		parsed, err = ssh.ParseRawPrivateKeyWithPassphrase(d.text, secret)
	} else {
		parsed, err = ssh.ParseRawPrivateKey(d.text)
	}
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, ErrWrongPassphrase
	case err != nil:
		return nil, fmt.Errorf("holds a damaged OpenSSH private key: %w", err)
	}
	key, ok := parsed.(*ed25519.PrivateKey)
	if !ok {
		return nil, notEd25519(parsed)
	}
	p, err := newPrivate(*key)
	if err == nil && p.public != outside {
		return nil, errors.New("the public key on the outside of the file is another one")
	}
	return p, err
}

// ask returns the passphrase, which is not empty.
func ask(passphrase func() ([]byte, error)) ([]byte, error) {
	if passphrase == nil {
		return nil, ErrPassphrase
	}
	secret, err := passphrase()
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	if len(secret) == 0 {
		return nil, ErrPassphrase
	}
	return secret, nil
}
