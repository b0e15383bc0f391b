package keys

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/sign"
)

// ParsePublic returns the key in data, the content of a public key file: one
// PKIX PEM block "PUBLIC KEY" or one OpenSSH line, and nothing else. Where the
// key is weak, the error wraps [sign.ErrWeakKey].
func ParsePublic(data []byte) (sign.PublicKey, error) {
	doc, err := scan(data)
	if err != nil {
		return sign.PublicKey{}, err
	}
	key, _, err := doc.public()
	return key, err
}

// LoadPublic reads the public key file path as ParsePublic does.
func LoadPublic(path string) (sign.PublicKey, error) {
	data, _, err := readFile(path)
	if err != nil {
		return sign.PublicKey{}, err
	}
	key, err := ParsePublic(data)
	if err != nil {
		return sign.PublicKey{}, fileError(path, err)
	}
	return key, nil
}

// public returns the key and comment of a document of public form.
func (d document) public() (sign.PublicKey, string, error) {
	switch d.form {
	case PKIX:
		key, err := parsePKIX(d)
		return key, "", err
	case OpenSSHPublic:
		return parseSSHLine(d.text)
	default:
		return sign.PublicKey{}, "", hint.With(errors.New("holds a private key, not a public one"), wantsPublicHint)
	}
}

// spkiPrefix is what precedes the 32 bytes of a key in DER.
var spkiPrefix = sign.PublicKey{}.SPKI()[:12]

// parsePKIX leaves it to crypto/x509 to say what kind of key it is, and then
// holds that the file is what we would write: x509 forgives unused bits and keys
// of any length.
func parsePKIX(d document) (sign.PublicKey, error) {
	fail := func(err error, next string) (sign.PublicKey, error) {
		return sign.PublicKey{}, hint.With(err, next)
	}
	parsed, err := x509.ParsePKIXPublicKey(d.der)
	if err != nil {
		return fail(errors.New("holds no Ed25519 key in the form of RFC 8410"), generateHint)
	}
	raw, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return fail(notEd25519(parsed), "")
	}
	if len(raw) == ed25519.PublicKeySize && !bytes.Equal(append(bytes.Clone(spkiPrefix), raw...), d.der) {
		return fail(errors.New("holds an Ed25519 key that is not in the form of RFC 8410"), generateHint)
	}
	key, err := sign.ParsePublicKey(raw)
	if err != nil {
		return fail(err, "")
	}
	if string(key.PEM()) != string(d.text) {
		return fail(errors.New("is not the PEM form of its key"), "write it anew: openssl pkey -pubin -in old.pub -out new.pub")
	}
	return key, nil
}

// notEd25519 names the kind of a key of package crypto.
func notEd25519(key any) error {
	kind := "unknown"
	switch k := key.(type) {
	case *rsa.PublicKey, *rsa.PrivateKey:
		kind = "RSA"
	case *ecdsa.PublicKey, *ecdsa.PrivateKey:
		kind = "ECDSA"
	case *ecdh.PublicKey:
		kind = fmt.Sprint(k.Curve())
	case *ecdh.PrivateKey:
		kind = fmt.Sprint(k.Curve())
	}
	return hint.With(fmt.Errorf("holds %s key, not Ed25519", article(kind)), generateHint)
}
