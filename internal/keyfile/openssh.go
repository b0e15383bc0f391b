package keyfile

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/sign"
)

// sshLine matches a line that holds an OpenSSH public key of any type, with or
// without the fields that precede it in authorized_keys, known_hosts and
// allowed_signers.
var sshLine = lazyregexp.New(`(?m)^([^#\n].*[ \t]|[ \t]+)?(ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)[a-z0-9@.-]+[ \t]`)

// sshEd25519 is the type of an Ed25519 key.
const sshEd25519 = "ssh-ed25519"

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
	if kind != sshEd25519 {
		return fail(otherSSH(kind), GenerateHint)
	}
	wire, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		return fail(errors.New("holds damaged base64"), "")
	}
	raw, err := SSHKey(wire)
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

// SSHKey returns the 32 bytes of an Ed25519 key in OpenSSH's wire form: two strings,
// the type and the key.
func SSHKey(wire []byte) ([]byte, error) {
	damaged := errors.New("holds a damaged OpenSSH key")
	kind, rest, ok := sshString(wire)
	if !ok {
		return nil, damaged
	}
	if string(kind) != sshEd25519 {
		return nil, hint.With(otherSSH(string(kind)), GenerateHint)
	}
	raw, rest, ok := sshString(rest)
	if !ok || len(rest) > 0 {
		return nil, damaged
	}
	return raw, nil
}

// sshString takes a string of RFC 4251 from the beginning of wire.
func sshString(wire []byte) (text, rest []byte, ok bool) {
	if len(wire) < 4 {
		return nil, nil, false
	}
	n, rest := binary.BigEndian.Uint32(wire), wire[4:]
	if uint64(n) > uint64(len(rest)) {
		return nil, nil, false
	}
	return rest[:n], rest[n:], true
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
