package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSums(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := sums(&out, dir, []string{"a.txt"}); err != nil {
		t.Fatal(err)
	}
	// The first example of FIPS 180-2.
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.txt\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	for _, names := range [][]string{nil, {"missing"}, {"a\nb"}} {
		if err := sums(&out, dir, names); err == nil {
			t.Errorf("%q: no error", names)
		}
	}
}
