package private_test

import (
	"bytes"
	"fmt"

	"github.com/relseal/relseal/keys/private"
)

func ExampleGenerate() {
	// A constant here so that the output is; pass nil for the system's randomness.
	key, err := private.Generate(bytes.NewReader(make([]byte, 32)))
	if err != nil {
		panic(err)
	}
	sig, err := key.Sign([]byte("manifest"))
	if err != nil {
		panic(err)
	}
	fmt.Println(key.Public().KeyID())
	fmt.Println(key.Public().Verify([]byte("manifest"), sig))
	// Output:
	// SHA256:tAXFyTXI8xtDaujAEcwJslAYc9/6FKcUkd2Lw0xDhPo
	// true
}
