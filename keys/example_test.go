package keys_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/keys"
	"github.com/relseal/relseal/keys/private"
)

// Whoever verifies names the keys they trust, as files or as a directory of
// them; a key that a bundle brings along is none.
func ExampleLoadTrusted() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	key, err := private.Generate(nil)
	if err != nil {
		panic(err)
	}
	files, err := private.WritePair(filepath.Join(dir, "release.key"), key, nil, "release@example.test")
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
