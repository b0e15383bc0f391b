package keyfile

import (
	"bytes"
	"crypto/ed25519"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/sign"
)

// Public returns the key and comment of a document of public form.
func (d Document) Public() (sign.PublicKey, string, error) {
	switch d.Form {
	case PKIX:
		key, err := parsePKIX(d)
		return key, "", err
	case OpenSSHPublic:
		return parseSSHLine(d.Text)
	default:
		return sign.PublicKey{}, "", hint.With(errors.New("holds a private key, not a public one"), wantsPublicHint)
	}
}

// spkiPrefix is what precedes the 32 bytes of a key in DER.
var spkiPrefix = sign.PublicKey{}.SPKI()[:12]

// parsePKIX holds that the file is what we would write: other readers forgive unused
// bits and keys of any length. Of another key it says the kind.
func parsePKIX(d Document) (sign.PublicKey, error) {
	fail := func(err error, next string) (sign.PublicKey, error) {
		return sign.PublicKey{}, hint.With(err, next)
	}
	raw, ours := bytes.CutPrefix(d.DER, spkiPrefix)
	if !ours || len(raw) != ed25519.PublicKeySize {
		kind := kindOf(d.DER)
		if kind == "" {
			return fail(errors.New("holds no Ed25519 key in the form of RFC 8410"), GenerateHint)
		}
		return fail(NotEd25519(kind), "")
	}
	key, err := sign.ParsePublicKey(raw)
	if err != nil {
		return fail(err, "")
	}
	if string(key.PEM()) != string(d.Text) {
		return fail(errors.New("is not the PEM form of its key"), "write it anew: openssl pkey -pubin -in old.pub -out new.pub")
	}
	return key, nil
}

// kinds are the keys of other algorithms, by the object identifier that a SubjectPublicKeyInfo
// names.
var kinds = map[string]string{
	"1.2.840.113549.1.1.1": "RSA",
	"1.2.840.10045.2.1":    "ECDSA",
	"1.3.101.110":          "X25519",
}

// kindOf returns the kind of the key in der, or "" where it is none of those.
func kindOf(der []byte) string {
	var info struct {
		Algorithm struct {
			Name       asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key asn1.BitString
	}
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return ""
	}
	return kinds[info.Algorithm.Name.String()]
}

// NotEd25519 says of which kind a key is instead.
func NotEd25519(kind string) error {
	return hint.With(fmt.Errorf("holds %s key, not Ed25519", article(kind)), GenerateHint)
}
