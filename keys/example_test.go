package keys_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/keys"
)

func ExampleGenerate() {
	// A constant here so that the output is; pass nil for the system's randomness.
	key, err := keys.Generate(bytes.NewReader(make([]byte, 32)))
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

// Whoever verifies names the keys they trust, as files or as a directory of
// them; a key that a bundle brings along is none.
func ExampleLoadTrusted() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	key, err := keys.Generate(nil)
	if err != nil {
		panic(err)
	}
	files, err := keys.WritePair(filepath.Join(dir, "release.key"), key, nil, "release@example.test")
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		fmt.Println(filepath.Base(f))
	}

	trusted, err := keys.LoadTrusted([]string{dir})
	if err != nil {
		panic(err)
	}
	_, ok := trusted.Verifier(key.Public().KeyID())
	fmt.Println(len(trusted.IDs()), ok)
	// Output:
	// release.key
	// release.pub
	// release.ssh.pub
	// 1 true
}
