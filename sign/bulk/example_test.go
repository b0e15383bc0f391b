package bulk_test

import (
	"crypto/ed25519"
	"fmt"

	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/sign/bulk"
)

// The signatures are those of crypto/ed25519.
func ExampleSigner_Sign() {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	messages := [][]byte{[]byte("event 1"), []byte("event 2")}
	sigs := make([]sign.Signature, len(messages))
	bulk.New(private).Sign(messages, sigs)
	for i, m := range messages {
		fmt.Println(sigs[i] == sign.Signature(ed25519.Sign(private, m)))
	}
	// Output:
	// true
	// true
}
