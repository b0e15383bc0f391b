package bulk

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"slices"
	"testing"
	"time"

	"github.com/relseal/relseal/sign"
)

// key returns the key whose seed is the hash of text.
func key(text []byte) ed25519.PrivateKey {
	seed := sha512.Sum512_256(text)
	return ed25519.NewKeyFromSeed(seed[:])
}

// agree compares with crypto/ed25519.
func agree(t *testing.T, k ed25519.PrivateKey, messages [][]byte) {
	t.Helper()
	sigs := make([]sign.Signature, len(messages))
	New(k).Sign(messages, sigs)
	for i, m := range messages {
		if want := ed25519.Sign(k, m); !bytes.Equal(sigs[i][:], want) {
			t.Fatalf("message %d of %d: %x, want %x", i, len(messages), sigs[i], want)
		}
	}
}

// TestAgree signs messages of many lengths, in numbers about that of those which
// share an inversion.
func TestAgree(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, chunk - 1, chunk, chunk + 1, 2 * chunk, 3*chunk + 7} {
		var messages [][]byte
		for i := range n {
			messages = append(messages, bytes.Repeat([]byte{byte(n)}, i))
		}
		agree(t, key([]byte{byte(n)}), messages)
	}
	for i := range 200 {
		agree(t, key([]byte{byte(i), 1}), [][]byte{{byte(i)}, nil})
	}
}

func FuzzAgree(f *testing.F) {
	f.Add([]byte("seed"), []byte("message"), byte(3))
	f.Add([]byte{}, []byte{}, byte(0))
	f.Fuzz(func(t *testing.T, seed, text []byte, n byte) {
		var messages [][]byte
		for i := range int(n) + 1 {
			messages = append(messages, text[min(i, len(text)):])
		}
		agree(t, key(seed), messages)
	})
}

func TestPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two messages have one signature")
		}
	}()
	New(key(nil)).Sign(make([][]byte, 2), make([]sign.Signature, 1))
}

// BenchmarkSign signs heads of a trail, as many as are written at once, and as
// often with crypto/ed25519: x-stdlib is how often ours fits into theirs.
func BenchmarkSign(b *testing.B) {
	k := key(nil)
	messages, sigs := make([][]byte, 100), make([]sign.Signature, 100)
	for i := range messages {
		messages[i] = bytes.Repeat([]byte{byte(i)}, 32)
	}
	s := New(k)
	clock := func(f func()) float64 {
		start := time.Now()
		f()
		return float64(time.Since(start)) / float64(len(messages))
	}
	var here, ratio []float64
	for b.Loop() {
		ours := clock(func() { s.Sign(messages, sigs) })
		library := clock(func() {
			for _, m := range messages {
				ed25519.Sign(k, m)
			}
		})
		here, ratio = append(here, ours), append(ratio, library/ours)
	}
	slices.Sort(here)
	slices.Sort(ratio)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(here[len(here)/2], "ns/signature")
	b.ReportMetric(ratio[len(ratio)/2], "x-stdlib")
}
