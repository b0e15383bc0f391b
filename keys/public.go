package keys

import (
	"github.com/relseal/relseal/internal/keyfile"
	"github.com/relseal/relseal/sign"
)

// ParsePublic returns the key in data, the content of a public key file: one
// PKIX PEM block "PUBLIC KEY" or one OpenSSH line, and nothing else. Where the
// key is weak, the error wraps [sign.ErrWeakKey].
func ParsePublic(data []byte) (sign.PublicKey, error) {
	doc, err := keyfile.Scan(data)
	if err != nil {
		return sign.PublicKey{}, err
	}
	key, _, err := doc.Public()
	return key, err
}

// LoadPublic reads the public key file path as ParsePublic does.
func LoadPublic(path string) (sign.PublicKey, error) {
	data, _, err := keyfile.Read(path)
	if err != nil {
		return sign.PublicKey{}, err
	}
	key, err := ParsePublic(data)
	if err != nil {
		return sign.PublicKey{}, keyfile.Error(path, err)
	}
	return key, nil
}
