package root_test

import (
	"bytes"
	"testing"

	"github.com/relseal/relseal/keys/root"
)

// What parses marshals to the same bytes, and a version is never the next one of
// itself.
func FuzzParse(f *testing.F) {
	for _, r := range roots() {
		for _, data := range r.roots {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := root.Parse(data)
		if err != nil {
			return
		}
		if again, err := r.Marshal(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("%v\n%s\n%s", err, data, again)
		}
		if chain, err := root.Pin(data); err == nil {
			if err := chain.Add(data); err != nil || chain.Last().Version() != r.Version() {
				t.Fatalf("the same version once more: %v", err)
			}
		}
		r.AllowedSigners()
		r.KRL()
	})
}
