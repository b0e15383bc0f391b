// Command build writes the page that verifies a bundle in a browser: a directory of three
// files that need no server, so that it can be kept beside the bundles it is for.
//
//	go run ./web/verify/build DIR
package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed index.html
var page []byte

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: build DIR")
		os.Exit(64)
	}
	if err := build(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// build writes the page into dir. A file: page may load scripts and nothing else, so the
// program is the text of one.
func build(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	wasm, err := os.CreateTemp("", "relseal-*.wasm")
	if err != nil {
		return err
	}
	defer os.Remove(wasm.Name())
	wasm.Close()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", wasm.Name(), "github.com/relseal/relseal/web/verify/wasm")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%v: %w", cmd.Args, err)
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	loader, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	program, err := os.ReadFile(wasm.Name())
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(program); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	text := []byte("const relsealProgram = \"" + base64.StdEncoding.EncodeToString(packed.Bytes()) + "\";\n")
	for name, data := range map[string][]byte{"index.html": page, "wasm_exec.js": loader, "relseal.js": text} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
