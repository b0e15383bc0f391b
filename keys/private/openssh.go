package private

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/relseal/relseal/internal/hint"
	"github.com/relseal/relseal/internal/keyfile"
	"github.com/relseal/relseal/sign"
)

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
	raw, err := keyfile.SSHKey(c.Public)
	if err != nil {
		return fail(err)
	}
	key, err := sign.ParsePublicKey(raw)
	return c, key, err
}

func (c container) encrypted() bool { return c.Cipher != "none" || c.KDF != "none" }
