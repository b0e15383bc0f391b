package sign_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/relseal/relseal/sign"
)

func ExampleSum() {
	fmt.Println(sign.Sum([]byte("manifest")))
	// Output: sha256:05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f
}

// A public key is checked when it is parsed. This one has order 4: the signature
// R = identity, s = 0 is accepted for it by common libraries, whatever the
// message.
func ExampleParsePublicKey() {
	_, err := sign.ParsePublicKey(make([]byte, 32))
	fmt.Println(err, errors.Is(err, sign.ErrWeakKey))
	// Output: E_KEY_WEAK: not a canonical point of prime order: small or mixed order true
}

// A reader takes the signature out of a wrapper, rebuilds the wrapper from what
// it knows, and compares.
func ExampleSSHSIGSignature() {
	priv := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	key, err := sign.ParsePublicKey(priv.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	message := sign.SSHSIGMessage(sign.Namespace, []byte("manifest"))
	file := sign.SSHSIG(key, sign.Namespace, sign.Signature(ed25519.Sign(priv, message)))

	sig, err := sign.SSHSIGSignature(file)
	if err != nil {
		panic(err)
	}
	rebuilt := sign.SSHSIG(key, sign.Namespace, sig)
	fmt.Println(string(rebuilt) == string(file) && key.Verify(message, sig))
	// Output: true
}
