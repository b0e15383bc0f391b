package audit

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/relseal/relseal/sign"
)

// Whatever texts come one after the other, with whatever said of them, every sum is
// that of the text alone.
func TestPrefixSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := newPrefixSum()
	text := make([]byte, 500)
	for i := range 20_000 {
		switch {
		case i%7 == 0:
			text = make([]byte, r.IntN(1000))
		case len(text) > 0:
			text = slices.Clone(text)
			text[r.IntN(len(text))]++
		}
		n := r.IntN(len(text) + 1)
		if i%3 != 0 {
			n = len(text) / 2
		}
		if got := p.of(text, n, r.IntN(9)); got != sign.Sum(text) {
			t.Fatalf("text %d, of %d bytes, %d of them shared: %s", i, len(text), n, got)
		}
	}
}
