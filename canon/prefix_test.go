package canon_test

import (
	"strings"
	"testing"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
)

// TestPrefix holds Prefix to Check, with and without something that follows.
func TestPrefix(t *testing.T) {
	for _, doc := range recognised {
		for _, after := range []string{"", ",", "}", "]", " ", "\xff"} {
			if n := canon.Prefix([]byte(doc+after), 0); n != len(doc) {
				t.Errorf("%q before %q: %d bytes, want %d", clip(doc), after, n, len(doc))
			}
		}
	}
	for _, doc := range refusals {
		if n := canon.Prefix([]byte(doc), 0); n > 0 && canon.Check([]byte(doc[:n])) != nil {
			t.Errorf("%q: the first %d bytes are not canonical", clip(doc), n)
		}
	}
}

func TestPrefixDepth(t *testing.T) {
	for depth := range limits.JSONDepth + 1 {
		n := limits.JSONDepth - depth
		fits := strings.Repeat("[", n) + strings.Repeat("]", n)
		if n > 0 && canon.Prefix([]byte(fits), depth) != len(fits) {
			t.Errorf("%d arrays inside %d are refused", n, depth)
		}
		if canon.Prefix([]byte("["+fits+"]"), depth) != 0 {
			t.Errorf("%d arrays inside %d pass", n+1, depth)
		}
	}
}

// TestPlainRun puts each byte at each place of a string.
func TestPlainRun(t *testing.T) {
	for c := range 256 {
		for at := range 20 {
			s := []byte(`"` + strings.Repeat("x", at) + string([]byte{byte(c)}) + strings.Repeat("y", 20-at) + `"`)
			if fast, slow := canon.Recognise(s), canon.SlowCheck(s) == nil; fast != slow {
				t.Errorf("byte %#x at %d: %v, the slow way says %v", c, at, fast, slow)
			}
		}
	}
}

func clip(s string) string { return s[:min(len(s), 40)] }

func FuzzPrefix(f *testing.F) {
	addAll(f, recognised, refusals)
	f.Fuzz(func(t *testing.T, in []byte) {
		n := canon.Prefix(in, 0)
		if n > 0 && canon.SlowCheck(in[:n]) != nil {
			t.Errorf("%q is not canonical", in[:n])
		}
		if canon.Recognise(in) && n != len(in) {
			t.Errorf("%q: %d of %d bytes", in, n, len(in))
		}
	})
}
