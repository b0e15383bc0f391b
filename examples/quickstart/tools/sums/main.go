// Sums prints the SHA-256 of files in the format of sha256sum, so that a
// release needs no such program where it is made:
//
//	sums -C DIR FILE...
//
// Names are relative to DIR: check with "cd DIR && sha256sum -c SHA256SUMS".
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	dir := flag.String("C", ".", "`directory` that the names are relative to")
	flag.Parse()
	if err := sums(os.Stdout, *dir, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "sums: error:", err)
		os.Exit(1)
	}
}

func sums(w io.Writer, dir string, names []string) error {
	if len(names) == 0 {
		return errors.New("no files given")
	}
	for _, name := range names {
		if strings.ContainsAny(name, "\\\r\n") {
			return fmt.Errorf("%q: sha256sum would escape this name", name)
		}
		if err := sum(w, dir, name); err != nil {
			return err
		}
	}
	return nil
}

func sum(w io.Writer, dir, name string) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%x  %s\n", h.Sum(nil), name)
	return err
}
