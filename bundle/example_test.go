package bundle_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/finding"
)

// A directory, a tar and a tar.zst are read in the same way.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "bundle")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, data := range map[string]string{"manifest.json": "{}", "VERIFY.md": "how to", "virus scan.log": "ok"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			log.Fatal(err)
		}
	}

	src, err := bundle.Open(dir, func(f finding.Finding) { fmt.Println(f.Code, *f.Path, f.Text) })
	if err != nil {
		log.Fatal(err)
	}
	defer src.Close()
	for {
		e, err := src.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		data, err := io.ReadAll(e.Body)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %s\n", e.Path, data)
	}
	// Output:
	// manifest.json: {}
	// VERIFY.md: how to
	// E_FORMAT "virus scan.log" the path has a character outside A-Z a-z 0-9 _ + @ = ~ . -
}
