package sign

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/relseal/relseal/internal/limits"
)

// Namespace is the SSHSIG namespace of a signature over manifest.json. An SSH
// key used for Git commits or logins signs under other namespaces, so none of
// those signatures can pass as one over a bundle.
const Namespace = "relseal-bundle"

// The armor of OpenSSH's PROTOCOL.sshsig. ssh-keygen breaks lines at 70
// columns; encoding/pem would at 64, and readers of the bundle compare bytes.
const (
	sshsigMagic   = "SSHSIG"
	sshsigVersion = 1
	sshsigHash    = "sha512"
	sshsigBegin   = "-----BEGIN SSH SIGNATURE-----\n"
	sshsigEnd     = "-----END SSH SIGNATURE-----\n"
	sshsigColumns = 70
	sshEd25519    = "ssh-ed25519"
)

// SSHSIGMessage returns the bytes that an SSHSIG over message signs:
//
//	"SSHSIG" string(namespace) string("") string("sha512") string(SHA-512(message))
func SSHSIGMessage(namespace string, message []byte) []byte {
	sum := sha512.Sum512(message)
	b := []byte(sshsigMagic)
	for _, s := range [][]byte{[]byte(namespace), nil, []byte(sshsigHash), sum[:]} {
		b = appendSSH(b, s)
	}
	return b
}

// SSHSIG returns the armored SSH signature file that ssh-keygen -Y sign writes
// where sig is key's signature over SSHSIGMessage(namespace, message). It does
// not verify sig.
func SSHSIG(key PublicKey, namespace string, sig Signature) []byte {
	b := binary.BigEndian.AppendUint32([]byte(sshsigMagic), sshsigVersion)
	b = appendSSH(b, key.SSH())
	b = appendSSH(b, []byte(namespace))
	b = appendSSH(b, nil)
	b = appendSSH(b, []byte(sshsigHash))
	b = appendSSH(b, appendSSH(appendSSH(nil, []byte(sshEd25519)), sig[:]))

	text := base64.StdEncoding.EncodeToString(b)
	out := []byte(sshsigBegin)
	for len(text) > sshsigColumns {
		out = append(append(out, text[:sshsigColumns]...), '\n')
		text = text[sshsigColumns:]
	}
	return append(append(append(out, text...), '\n'), sshsigEnd...)
}

// SSHSIGSignature returns the signature in an armored SSH signature by an
// Ed25519 key, in exactly the form that SSHSIG writes. It believes nothing else
// that stands there: the caller rebuilds the file from the key, the namespace
// and this signature, and compares every byte.
func SSHSIGSignature(armored []byte) (Signature, error) {
	key, namespace, sig, err := parseSSHSIG(armored)
	if err != nil {
		return Signature{}, fmt.Errorf("not an Ed25519 SSH signature: %w", err)
	}
	if !bytes.Equal(SSHSIG(key, namespace, sig), armored) {
		return Signature{}, errors.New("not an Ed25519 SSH signature as ssh-keygen writes it")
	}
	return sig, nil
}

// parseSSHSIG is lenient where its caller's comparison is not: about the width
// of lines, the reserved field and the spelling of base64.
func parseSSHSIG(armored []byte) (key PublicKey, namespace string, sig Signature, err error) {
	fail := func(text string) (PublicKey, string, Signature, error) {
		return PublicKey{}, "", Signature{}, errors.New(text)
	}
	if len(armored) > limits.Signature {
		return fail("too long")
	}
	text, ok := bytes.CutPrefix(armored, []byte(sshsigBegin))
	if !ok {
		return fail("no BEGIN SSH SIGNATURE line at the start")
	}
	if text, ok = bytes.CutSuffix(text, []byte(sshsigEnd)); !ok {
		return fail("no END SSH SIGNATURE line at the end")
	}
	blob, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return fail("damaged base64")
	}
	if blob, ok = bytes.CutPrefix(blob, []byte(sshsigMagic)); !ok || len(blob) < 4 {
		return fail("no SSHSIG magic")
	}
	if v := binary.BigEndian.Uint32(blob); v != sshsigVersion {
		return fail(fmt.Sprintf("version %d, not 1", v))
	}
	var field [5][]byte // publickey, namespace, reserved, hash_algorithm, signature
	if !cutSSH(blob[4:], field[:]) {
		return fail("damaged fields")
	}
	var pub, made [2][]byte
	if !cutSSH(field[0], pub[:]) || string(pub[0]) != sshEd25519 {
		return fail("the key is not Ed25519")
	}
	if !cutSSH(field[4], made[:]) || string(made[0]) != sshEd25519 || len(made[1]) != len(sig) {
		return fail("the signature is not Ed25519")
	}
	if len(field[1]) == 0 {
		return fail("the namespace is empty")
	}
	if key, err = ParsePublicKey(pub[1]); err != nil {
		return PublicKey{}, "", Signature{}, err
	}
	return key, string(field[1]), Signature(made[1]), nil
}

// cutSSH splits b into exactly len(into) SSH strings and reports whether it
// could, with nothing left over.
func cutSSH(b []byte, into [][]byte) bool {
	for i := range into {
		if len(b) < 4 {
			return false
		}
		n := binary.BigEndian.Uint32(b)
		if uint64(n) > uint64(len(b)-4) {
			return false
		}
		into[i], b = b[4:4+n], b[4+n:]
	}
	return len(b) == 0
}
