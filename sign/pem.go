package sign

import (
	"encoding/base64"
	"encoding/pem"
	"strings"
	"unicode"
)

// PEM returns the key as a "PUBLIC KEY" block (RFC 7468), byte for byte what
// openssl pkey -pubout writes.
func (k PublicKey) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.SPKI()})
}

// AuthorizedKey returns the key as the one line of an OpenSSH .pub file, line
// feed included. The line ends after the key where comment is empty. Control
// characters in comment are left out, since a line break would begin another
// key.
func (k PublicKey) AuthorizedKey(comment string) []byte {
	line := sshEd25519 + " " + base64.StdEncoding.EncodeToString(k.SSH())
	comment = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, comment))
	if comment != "" {
		line += " " + comment
	}
	return []byte(line + "\n")
}
