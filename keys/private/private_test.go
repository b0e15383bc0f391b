package private

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func TestGenerate(t *testing.T) {
	a, b := must(Generate(nil)), must(Generate(nil))
	if a.Public() == b.Public() {
		t.Error("two keys are the same")
	}
	signs(t, "generated", a)
	if a, b := seeded(t, 9), seeded(t, 9); a.Public() != b.Public() {
		t.Error("the same randomness gives two keys")
	}
	gone := errors.New("no randomness")
	if _, err := Generate(iotest.ErrReader(gone)); !errors.Is(err, gone) {
		t.Errorf("error %v, want %v", err, gone)
	}
	if _, err := Generate(bytes.NewReader(make([]byte, 31))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("31 bytes of randomness: %v", err)
	}
}

// TestSignRFC8032 is test 1 of RFC 8032, section 7.1.
func TestSignRFC8032(t *testing.T) {
	seed := must(hex.DecodeString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
	p := must(Generate(bytes.NewReader(seed)))
	if got, want := hex.EncodeToString(p.Public().Bytes()), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"; got != want {
		t.Errorf("public key %s, want %s", got, want)
	}
	sig := must(p.Sign(nil))
	if again := must(p.SignAll([][]byte{nil, []byte("m"), nil})); again[0] != sig || again[2] != sig {
		t.Errorf("in bulk %x", again)
	}
	const want = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
	if got := hex.EncodeToString(sig[:]); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

// TestSignFault: what a disturbed computation would give never leaves Sign.
func TestSignFault(t *testing.T) {
	p, message := seeded(t, 1), []byte("manifest")
	good := must(p.Sign(message))
	if _, err := checked(p.Public(), message, good[:]); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good[:])
		bad[i] ^= 0x10
		if sig, err := checked(p.Public(), message, bad); err == nil || sig != ([64]byte{}) {
			t.Errorf("byte %d wrong: %v, %v", i, sig, err)
		}
	}
	if _, err := checked(p.Public(), message, good[:63]); err == nil {
		t.Error("63 bytes are a signature")
	}
	if _, err := new(Key).Sign(message); err == nil {
		t.Error("the zero value signs")
	}
	if _, err := new(Key).SignAll([][]byte{message}); err == nil {
		t.Error("the zero value signs in bulk")
	}
	if _, err := new(Key).PKCS8PEM(); err == nil {
		t.Error("the zero value has a PEM")
	}
	if _, err := new(Key).EncryptedPEM([]byte("p")); err == nil {
		t.Error("the zero value has an encrypted PEM")
	}
	if _, err := p.EncryptedPEM(nil); err == nil {
		t.Error("a key is encrypted under nothing")
	}
}

func TestSignConcurrently(t *testing.T) {
	p := seeded(t, 1)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			message := []byte{byte(n)}
			if sig, err := p.Sign(message); err != nil || !p.Public().Verify(message, sig) {
				t.Errorf("signer %d: %v", n, err)
			}
		})
	}
	wg.Wait()
}

// TestPrivateIsNotPrinted formats a key in every way that a log might.
func TestPrivateIsNotPrinted(t *testing.T) {
	p := seeded(t, 7)
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+verb, p, *p)
		fmt.Fprintf(&out, verb, struct{ Key any }{p})
	}
	//lint:ignore SA9005 that nothing comes out is the point
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ToLower(out.String() + string(data))
	seed := p.key.Seed()
	for _, secret := range []string{hex.EncodeToString(seed[:8]), "7, 7, 7", "7 7 7", "0x7", string(seed[:8])} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is printed: %s", secret, text)
		}
	}
	if !strings.Contains(out.String(), p.Public().KeyID().String()) {
		t.Errorf("the id is not printed: %s", out.String())
	}
}
