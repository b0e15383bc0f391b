package private

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"golang.org/x/crypto/ssh"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/keyfile"
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

// Load reads the private key file path. It calls passphrase only if the
// key is encrypted; nil, and a function that returns nothing, mean that there is
// none. The errors to tell apart are fs.ErrNotExist, ErrPassphrase,
// ErrWrongPassphrase and ErrExposed.
func Load(path string, passphrase func() ([]byte, error)) (*Key, error) {
	data, mode, err := keyfile.Read(path)
	if err != nil {
		return nil, err
	}
	doc, err := keyfile.Scan(data)
	if err != nil {
		return nil, keyfile.Error(path, err)
	}
	if !doc.Form.Private() {
		return nil, keyfile.Error(path, hint.With(errors.New("holds a public key, not a private one"), keyfile.WantsPrivateHint))
	}
	if exposed(mode) {
		err := fmt.Errorf("%w (mode %04o)", ErrExposed, mode.Perm())
		return nil, keyfile.Error(path, hint.With(err, "chmod 600 "+keyfile.Shell(path)))
	}
	p, err := open(doc, passphrase)
	if err != nil {
		return nil, keyfile.Error(path, err)
	}
	return p, nil
}

// open returns the key of a document of private form.
func open(d keyfile.Document, passphrase func() ([]byte, error)) (*Key, error) {
	switch d.Form {
	case keyfile.PKCS8:
		return parsePKCS8(d.DER)
	case keyfile.SigstorePrivate:
		return openSigstore(d.Text, passphrase)
	case keyfile.OpenSSHPrivate:
		return openOpenSSH(d, passphrase)
	default:
		return openPBES2(d.DER, passphrase)
	}
}

// parsePKCS8 accepts the version 1 structure without attributes, as everybody
// writes it; x509 alone ignores what follows the key.
func parsePKCS8(der []byte) (*Key, error) {
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
	return newKey(key)
}

// openSigstore decrypts the form of cosign and of EncryptedPEM.
func openSigstore(text []byte, passphrase func() ([]byte, error)) (*Key, error) {
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
	return newKey(key)
}

// openOpenSSH reads OpenSSH's private key format, and holds that the public key
// on its outside, which ssh-keygen -l and Inspect show, is the one inside.
func openOpenSSH(d keyfile.Document, passphrase func() ([]byte, error)) (*Key, error) {
	c, outside, err := openContainer(d.DER)
	if err != nil {
		return nil, err
	}
	var parsed any
	if c.encrypted() {
		var secret []byte
		if secret, err = ask(passphrase); err != nil {
			return nil, err
		}
		parsed, err = ssh.ParseRawPrivateKeyWithPassphrase(d.Text, secret)
	} else {
		parsed, err = ssh.ParseRawPrivateKey(d.Text)
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
	p, err := newKey(*key)
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

// notEd25519 names the kind of a key of package crypto.
func notEd25519(key any) error {
	kind := "unknown"
	switch k := key.(type) {
	case *rsa.PrivateKey:
		kind = "RSA"
	case *ecdsa.PrivateKey:
		kind = "ECDSA"
	case *ecdh.PrivateKey:
		kind = fmt.Sprint(k.Curve())
	}
	return keyfile.NotEd25519(kind)
}
