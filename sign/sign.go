// Package sign names things by digest and says who signed them.
//
// A [Digest] is SHA-256. A key is Ed25519, named by its [KeyID], the
// fingerprint that ssh-keygen -l prints. Public keys are checked when they are
// parsed, so that no later step meets a weak one, and a signature is accepted
// by one rule (see [PublicKey.Verify]) wherever relseal meets it. Who signs implements
// [Signer]; whom a caller trusts is a [Verifiers]: [Only] one key, or those of package keys.
//
// The package also defines the wrappers in which one signature of a manifest
// reaches other people's tools: a DSSE envelope inside a Sigstore bundle and an
// SSHSIG. All of them are rebuilt from the document, the key and the signature;
// nothing in a wrapper is believed.
package sign

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// A Digest is a SHA-256 value. As text it is "sha256:" and 64 lower-case
// hexadecimal digits.
type Digest [sha256.Size]byte

// Sum returns the SHA-256 of data.
func Sum(data []byte) Digest { return sha256.Sum256(data) }

// SumReader returns the SHA-256 and the length in bytes of all that r yields.
func SumReader(r io.Reader) (Digest, int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return Digest(h.Sum(nil)), n, err
}

const digestPrefix = "sha256:"

// ParseDigest accepts exactly the text that String returns.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	return d, d.UnmarshalText([]byte(s))
}

func (d Digest) String() string { return digestPrefix + d.Hex() }

// Hex returns the 64 hexadecimal digits alone.
func (d Digest) Hex() string { return hex.EncodeToString(d[:]) }

func (d Digest) IsZero() bool { return d == Digest{} }

func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *Digest) UnmarshalText(text []byte) error {
	var v Digest
	if len(text) != len(digestPrefix)+2*len(v) || string(text[:len(digestPrefix)]) != digestPrefix {
		return errors.New("a digest is \"sha256:\" and 64 hexadecimal digits")
	}
	if _, err := hex.Decode(v[:], text[len(digestPrefix):]); err != nil || v.String() != string(text) {
		return errors.New("a digest is \"sha256:\" and 64 lower-case hexadecimal digits")
	}
	*d = v
	return nil
}

// A Signature is an Ed25519 signature, R and s. As text it is standard base64,
// padded: 88 characters.
type Signature [64]byte

// ParseSignature accepts exactly the text that String returns.
func ParseSignature(s string) (Signature, error) {
	var v Signature
	return v, v.UnmarshalText([]byte(s))
}

func (s Signature) String() string { return base64.StdEncoding.EncodeToString(s[:]) }

func (s Signature) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It compares with what
// MarshalText writes: base64's Strict still skips line breaks.
func (s *Signature) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || len(raw) != len(s) || Signature(raw).String() != string(text) {
		return errors.New("a signature is 64 bytes in padded standard base64")
	}
	*s = Signature(raw)
	return nil
}

// A KeyID names a public key: SHA-256 over its OpenSSH wire form. As text it is
// "SHA256:" and unpadded standard base64, what ssh-keygen -l prints.
type KeyID [sha256.Size]byte

const keyIDPrefix = "SHA256:"

// ParseKeyID accepts exactly the text that String returns.
func ParseKeyID(s string) (KeyID, error) {
	var id KeyID
	return id, id.UnmarshalText([]byte(s))
}

func (id KeyID) String() string { return keyIDPrefix + base64.RawStdEncoding.EncodeToString(id[:]) }

// Hex returns the id as it appears in paths under sig/by/.
func (id KeyID) Hex() string { return hex.EncodeToString(id[:]) }

func (id KeyID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

func (id *KeyID) UnmarshalText(text []byte) error {
	var v KeyID
	if len(text) > len(keyIDPrefix) {
		raw, err := base64.RawStdEncoding.DecodeString(string(text[len(keyIDPrefix):]))
		if err == nil && len(raw) == len(v) {
			v = KeyID(raw)
		}
	}
	if v.String() != string(text) {
		return fmt.Errorf("a key id is %q and 43 characters of base64", keyIDPrefix)
	}
	*id = v
	return nil
}
