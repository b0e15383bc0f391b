package comb

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"
	"slices"
	"testing"

	"github.com/relseal/relseal/sign"
)

// FuzzAgree compares with crypto/ed25519. A key of 32 bytes is taken as it is,
// with sig as the signature; any other is the seed of an honest key, and sig a
// mask over an honest signature. Honest neighbours must not notice.
func FuzzAgree(f *testing.F) {
	f.Add([]byte("seed"), []byte("message"), []byte{})
	f.Add([]byte("seed"), []byte("message"), []byte{1})
	f.Add([]byte("seed"), []byte{}, append(make([]byte, 31), 0x80))
	f.Add([]byte("seed"), []byte{}, append(make([]byte, 63), 0x10))
	f.Add(append([]byte{1}, make([]byte, 31)...), []byte("m"), append([]byte{1}, make([]byte, 63)...))
	f.Add(make([]byte, 32), []byte("m"), make([]byte, 64))
	f.Add(append([]byte{0xec}, bytes.Repeat([]byte{0xff}, 31)...), []byte{}, append([]byte{1}, make([]byte, 63)...))
	f.Fuzz(func(t *testing.T, key, message, sig []byte) {
		var p pair
		var pairs []pair
		copy(p.sig[:], sig)
		p.message = message
		raw := key
		if len(key) != 32 {
			seed := sha512.Sum512_256(key)
			private := ed25519.NewKeyFromSeed(seed[:])
			raw = private.Public().(ed25519.PublicKey)
			for i, c := range ed25519.Sign(private, message) {
				p.sig[i] ^= c
			}
			for i := range 3 {
				m := fmt.Append(nil, i)
				pairs = append(pairs, pair{m, sign.Signature(ed25519.Sign(private, m))})
			}
		}
		library, tables := agree(t, raw, 7, slices.Insert(pairs, len(pairs)/2, p))
		if min(library, tables) < len(pairs) {
			t.Errorf("of %d honest neighbours crypto/ed25519 accepts %d, the tables %d", len(pairs), library, tables)
		}
	})
}
