package comb_test

import (
	"crypto/ed25519"
	"fmt"
	"log"

	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/comb"
)

func ExampleVerifier_Verify() {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	key, err := sign.ParsePublicKey(private.Public().(ed25519.PublicKey))
	if err != nil {
		log.Fatal(err)
	}
	var messages [][]byte
	var sigs []sign.Signature
	for i := range 1000 {
		message := fmt.Appendf(nil, "event %d", i)
		messages = append(messages, message)
		sigs = append(sigs, sign.Signature(ed25519.Sign(private, message)))
	}
	messages[700] = []byte("another event")

	ok := make([]bool, len(sigs))
	comb.New(key).Verify(messages, sigs, ok)
	for i := range ok {
		if !ok[i] {
			fmt.Printf("signature %d does not hold\n", i)
		}
	}
	// Output: signature 700 does not hold
}
