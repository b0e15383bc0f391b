package keys

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/sign"
)

// sshLine matches a line that holds an OpenSSH public key of any type, with or
// without the fields that precede it in authorized_keys, known_hosts and
// allowed_signers.
var sshLine = regexp.MustCompile(`(?m)^([^#\n].*[ \t]|[ \t]+)?(ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)[a-z0-9@.-]+[ \t]`)

func looksLikeSSH(text []byte) bool { return sshLine.Match(text) }

// parseSSHLine returns the key and comment of an OpenSSH .pub file: type, space,
// base64, and possibly space and comment. ssh-keygen writes the second space
// even before an empty comment.
func parseSSHLine(text []byte) (sign.PublicKey, string, error) {
	fail := func(err error, next string) (sign.PublicKey, string, error) {
		return sign.PublicKey{}, "", hint.With(err, next)
	}
	line := strings.TrimSuffix(string(text), "\n")
	if strings.Contains(line, "\n") {
		return fail(errors.New("holds more than the one line of an OpenSSH public key"), "put each key into a file of its own")
	}
	kind, rest, _ := strings.Cut(line, " ")
	blob, comment, _ := strings.Cut(rest, " ")
	if kind != ssh.KeyAlgoED25519 {
		return fail(otherSSH(kind), generateHint)
	}
	wire, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		return fail(errors.New("holds damaged base64"), "")
	}
	raw, err := sshEd25519(wire)
	if err != nil {
		return fail(err, "")
	}
	key, err := sign.ParsePublicKey(raw)
	if err != nil {
		return fail(err, "")
	}
	if !utf8.ValidString(comment) || strings.ContainsFunc(comment, unicode.IsControl) {
		return fail(errors.New("has control characters in the comment"), "")
	}
	if want := strings.TrimSuffix(string(key.AuthorizedKey("")), "\n"); line != want && !strings.HasPrefix(line, want+" ") {
		return fail(errors.New("is not the OpenSSH line of its key"), "")
	}
	return key, comment, nil
}

// sshEd25519 returns the 32 bytes of an Ed25519 key in OpenSSH's wire form.
func sshEd25519(wire []byte) ([]byte, error) {
	var name struct {
		Name string
		Rest []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal(wire, &name); err != nil {
		return nil, errors.New("holds a damaged OpenSSH key")
	}
	if name.Name != ssh.KeyAlgoED25519 {
		return nil, hint.With(otherSSH(name.Name), generateHint)
	}
	var key struct{ Raw []byte }
	if err := ssh.Unmarshal(name.Rest, &key); err != nil {
		return nil, errors.New("holds a damaged OpenSSH key")
	}
	return key.Raw, nil
}

// otherSSH names an OpenSSH type of key that is not plain Ed25519.
func otherSSH(kind string) error {
	switch {
	case strings.Contains(kind, "-cert-"):
		return errors.New("holds an OpenSSH certificate, not a key")
	case strings.HasPrefix(kind, "sk-"):
		return errors.New("holds a FIDO key, whose signatures are not plain Ed25519")
	case strings.HasPrefix(kind, "ssh-"), strings.HasPrefix(kind, "ecdsa-"):
		return fmt.Errorf("holds an OpenSSH key of type %.40q, not \"ssh-ed25519\"", kind)
	default:
		return errors.New("has text before the key")
	}
}

// A container is the outside of an OpenSSH private key file, which names the
// public key in the clear (OpenSSH's PROTOCOL.key).
type container struct {
	Cipher, KDF, Options string
	Count                uint32
	Public, Private      []byte
}

// openContainer reads the outside of an OpenSSH private key and returns it with
// the public key that stands there, which nothing authenticates.
func openContainer(der []byte) (container, sign.PublicKey, error) {
	fail := func(err error) (container, sign.PublicKey, error) { return container{}, sign.PublicKey{}, err }
	rest, ok := bytes.CutPrefix(der, []byte("openssh-key-v1\x00"))
	var c container
	if !ok || ssh.Unmarshal(rest, &c) != nil {
		return fail(hint.With(errors.New("holds a damaged OpenSSH private key, or one under a cipher that is not read"),
			"store it under another cipher: ssh-keygen -p -Z aes256-ctr -f key"))
	}
	if c.Count != 1 {
		return fail(fmt.Errorf("holds %d OpenSSH private keys, not one", c.Count))
	}
	raw, err := sshEd25519(c.Public)
	if err != nil {
		return fail(err)
	}
	key, err := sign.ParsePublicKey(raw)
	return c, key, err
}

func (c container) encrypted() bool { return c.Cipher != "none" || c.KDF != "none" }
