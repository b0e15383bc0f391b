// Package keyfile knows key files by their outside: the forms there are, the one PEM
// block or line that a file holds, and what stands there instead of a key. It reads
// public keys, and opens no private one: keys does without what private ones need.
package keyfile

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/relseal/relseal/internal/hint"
)

// A Form is how a key stands in its file.
type Form string

const (
	PKIX            Form = "pkix-pem"            // public: "PUBLIC KEY"
	OpenSSHPublic   Form = "openssh-public"      // public: one line of a .pub file
	PKCS8           Form = "pkcs8-pem"           // private, plain: "PRIVATE KEY"
	SigstorePrivate Form = "sigstore-pem"        // private, encrypted: "ENCRYPTED SIGSTORE PRIVATE KEY" or "... COSIGN ..."
	OpenSSHPrivate  Form = "openssh-private"     // private, plain or encrypted: "OPENSSH PRIVATE KEY"
	EncryptedPKCS8  Form = "encrypted-pkcs8-pem" // private, encrypted: "ENCRYPTED PRIVATE KEY"
)

const (
	GenerateHint     = "make an Ed25519 key: relseal key generate --out release.key"
	WantsPrivateHint = "to sign, give the private key's file; the public key is for verifying"
	wantsPublicHint  = "give the public key, in the .pub file beside it; a private key is for signing and stays secret"
)

// Private reports whether the form is one of a private key.
func (f Form) Private() bool { return f != PKIX && f != OpenSSHPublic }

var pemForms = map[string]Form{
	"PUBLIC KEY":                     PKIX,
	"PRIVATE KEY":                    PKCS8,
	"ENCRYPTED PRIVATE KEY":          EncryptedPKCS8,
	"ENCRYPTED SIGSTORE PRIVATE KEY": SigstorePrivate,
	"ENCRYPTED COSIGN PRIVATE KEY":   SigstorePrivate,
	"OPENSSH PRIVATE KEY":            OpenSSHPrivate,
}

// A Document is a file that holds one key in a form we know, by its outside.
type Document struct {
	Form Form
	Text []byte // the whole file with LF line ends and a final one
	DER  []byte // what is inside the PEM block
}

// scan finds the one key in data, or says what stands there instead.
func Scan(data []byte) (Document, error) {
	text, err := plainLines(data)
	if err != nil {
		return Document{}, err
	}
	begin := []byte("-----BEGIN ")
	switch n := bytes.Count(text, begin); {
	case n > 1:
		return Document{}, hint.With(fmt.Errorf("holds %d PEM blocks, not one key", n), "put each key into a file of its own")
	case n == 1 && !bytes.HasPrefix(text, begin):
		return Document{}, hint.With(errors.New("has text before the key"), "leave nothing in the file but the key")
	case n == 1:
		return scanPEM(text)
	case looksLikeSSH(text):
		return Document{Form: OpenSSHPublic, Text: text}, nil
	}
	return Document{}, hint.With(errors.New("holds no key"), notKeyHint(data))
}

// plainLines refuses what no key file starts or ends with, and makes CRLF, if
// all line ends are CRLF, and a missing final newline regular.
func plainLines(data []byte) ([]byte, error) {
	switch {
	case len(data) > MaxFile:
		return nil, fmt.Errorf("is above %d KiB, too long for a key", MaxFile>>10)
	case len(data) == 0:
		return nil, errors.New("is empty")
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")), bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, hint.With(errors.New("starts with a byte order mark"), "save it as plain ASCII text")
	}
	text := bytes.Clone(data)
	if crlf := bytes.Count(text, []byte("\r\n")); crlf > 0 && crlf == bytes.Count(text, []byte("\n")) && crlf == bytes.Count(text, []byte("\r")) {
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	}
	if text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	return text, nil
}

// scanPEM decodes the PEM block that text begins with. It accepts lines of any
// width, since each tool has its own, and nothing else that pem.Decode forgives:
// the block, encoded again, must give the same characters.
func scanPEM(text []byte) (Document, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return Document{}, errors.New("holds a damaged PEM block")
	case len(block.Headers) > 0:
		return Document{}, errors.New("has headers inside the PEM block")
	case len(rest) > 0:
		return Document{}, hint.With(errors.New("has text after the key"), "leave nothing in the file but the key")
	case !bytes.Equal(joined(pem.EncodeToMemory(block)), joined(text)):
		return Document{}, errors.New("holds a damaged PEM block")
	}
	form, ok := pemForms[block.Type]
	if !ok {
		return Document{}, otherBlock(block.Type)
	}
	return Document{Form: form, Text: text, DER: block.Bytes}, nil
}

func joined(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), nil) }

// otherBlock is the error for a PEM block that is no key of ours.
func otherBlock(label string) error {
	for _, kind := range []string{"RSA", "EC", "DSA"} {
		if strings.HasPrefix(label, kind+" ") {
			return NotEd25519(kind)
		}
	}
	err := fmt.Errorf("holds a PEM block %.40q, which is no key", label)
	if label == "CERTIFICATE" {
		return hint.With(err, "take the key out: openssl x509 -in cert.pem -pubkey -noout")
	}
	return err
}

// article returns the name of a kind of key with its article.
func article(kind string) string {
	if strings.ContainsRune("AEFHILMNORSX", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

// notKeyHint guesses what the file is.
func notKeyHint(data []byte) string {
	switch {
	case data[0] == 0x30 && len(data) < 200:
		return "if it is a key in DER form, convert it: openssl pkey -pubin -inform DER -in key.DER -out key.pub"
	case bytes.HasPrefix(data, []byte("untrusted comment:")):
		return "keys of minisign and signify are not read; " + GenerateHint
	case bytes.HasPrefix(data, []byte("---- BEGIN SSH2 ")):
		return "convert it: ssh-keygen -i -f key.ssh2 > key.pub"
	case data[0] == '{':
		return "a key is a PEM block or a line ssh-ed25519 AAAA…; --root takes a version of a trust root"
	default:
		return "a key is a PEM block or a line ssh-ed25519 AAAA…"
	}
}
