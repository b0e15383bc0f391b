package sign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"

	"filippo.io/edwards25519"
)

// seeded returns the Ed25519 key of a constant seed, the same in every run.
func seeded(n byte) (PublicKey, ed25519.PrivateKey) {
	priv := ed25519.NewKeyFromSeed(filled(ed25519.SeedSize, n))
	key, err := ParsePublicKey(priv.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	return key, priv
}

// lowOrder lists all encodings of the eight points of small order that
// SetBytes accepts, canonical or not.
var lowOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000", // order 4
	"0000000000000000000000000000000000000000000000000000000000000080",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"0100000000000000000000000000000000000000000000000000000000000000", // identity
	"0100000000000000000000000000000000000000000000000000000000000080",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // order 2
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // order 8
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWeakKeys(t *testing.T) {
	refuse := func(name string, raw []byte) {
		t.Helper()
		if k, err := ParsePublicKey(raw); !errors.Is(err, ErrWeakKey) || !k.IsZero() {
			t.Errorf("%s: %x: key %x, error %v", name, raw, k.Bytes(), err)
		}
	}
	for _, s := range lowOrder {
		refuse("low order", unhex(t, s))
	}

	// Every y from p to 2^255-1 is a second encoding of y-p; either it is one of
	// the low-order ones above, or it is not canonical, or not on the curve.
	for sign := range 2 {
		for y := range 19 {
			raw := filled(32, 0xff)
			raw[0], raw[31] = byte(0xed+y), byte(0x7f|sign<<7)
			refuse("second encoding", raw)
		}
	}

	// A key plus a point of small order signs and verifies like the key for one
	// message in eight: mixed order, found only by multiplying.
	key, _ := seeded(1)
	prime, err := new(edwards25519.Point).SetBytes(key.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	mixed := 0
	for _, s := range lowOrder {
		small, err := new(edwards25519.Point).SetBytes(unhex(t, s))
		if err != nil {
			t.Fatalf("%s is not on the curve: the list is wrong", s)
		}
		if small.Equal(edwards25519.NewIdentityPoint()) == 1 {
			continue
		}
		mixed++
		refuse("mixed order", new(edwards25519.Point).Add(prime, small).Bytes())
	}
	if mixed != 10 {
		t.Errorf("%d encodings of points of order 2, 4 and 8 in the list, want 10", mixed)
	}

	off := filled(32, 0)
	off[0] = 2
	refuse("not on the curve", off)

	for _, n := range []int{0, 1, 31, 33, 64} {
		if _, err := ParsePublicKey(make([]byte, n)); err == nil || errors.Is(err, ErrWeakKey) {
			t.Errorf("%d bytes: error %v", n, err)
		}
	}
}

func TestRandomKeysAreAccepted(t *testing.T) {
	r := rand.NewChaCha8([32]byte{1})
	for range 200 {
		pub, priv, err := ed25519.GenerateKey(r)
		if err != nil {
			t.Fatal(err)
		}
		key, err := ParsePublicKey(pub)
		if err != nil {
			t.Fatalf("%x: %v", pub, err)
		}
		if !bytes.Equal(key.Bytes(), pub) || key.IsZero() {
			t.Fatalf("%x came back as %x", pub, key.Bytes())
		}
		message := []byte("message")
		sig := Signature(ed25519.Sign(priv, message))
		if !key.Verify(message, sig) {
			t.Fatalf("%x: its own signature does not verify", pub)
		}
	}
}

// TestVerifyEveryBit changes each bit of a signature, of the message and of the key.
func TestVerifyEveryBit(t *testing.T) {
	key, priv := seeded(2)
	message := Sum([]byte("manifest"))
	sig := Signature(ed25519.Sign(priv, message[:]))
	if !key.Verify(message[:], sig) {
		t.Fatal("the untouched signature does not verify")
	}
	for i := range 8 * len(sig) {
		bad := sig
		bad[i/8] ^= 1 << (i % 8)
		if key.Verify(message[:], bad) {
			t.Errorf("verifies with bit %d of the signature changed", i)
		}
	}
	for i := range 8 * len(message) {
		bad := message
		bad[i/8] ^= 1 << (i % 8)
		if key.Verify(bad[:], sig) {
			t.Errorf("verifies with bit %d of the message changed", i)
		}
		other := key.raw
		other[i/8] ^= 1 << (i % 8)
		if k, err := ParsePublicKey(other[:]); err == nil && k.Verify(message[:], sig) {
			t.Errorf("verifies with bit %d of the key changed", i)
		}
	}
	if key.Verify(nil, sig) || (PublicKey{}).Verify(message[:], Signature{}) {
		t.Error("a missing message or key verifies")
	}
}

// TestZeroKeyVerifiesNothing: the 32 zero bytes are a point of order 4, so the
// zero value would be a key that anybody can sign for.
func TestZeroKeyVerifiesNothing(t *testing.T) {
	forged := Signature{}
	forged[0] = 1 // R = identity, s = 0
	library := 0
	for n := range 64 {
		message := []byte{byte(n)}
		if ed25519.Verify(make([]byte, 32), message, forged[:]) {
			library++
		}
		if (PublicKey{}).Verify(message, forged) {
			t.Fatalf("message %d verifies under the zero key", n)
		}
	}
	if library == 0 {
		t.Error("crypto/ed25519 accepts none of the forgeries: this test tests nothing")
	}
}
