package comb

import (
	"crypto/ed25519"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/relseal/relseal/sign"
)

func publicKey(t testing.TB, key ed25519.PrivateKey) sign.PublicKey {
	t.Helper()
	public, err := sign.ParsePublicKey(key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return public
}

// mixed returns signatures of which many are wrong, and which are right.
func mixed(t *testing.T, n int) (sign.PublicKey, []pair, []bool) {
	r := random(t.Name())
	key, pairs := honest(r, n)
	mutate(r, pairs)
	public := publicKey(t, key)
	want := make([]bool, n)
	for i, p := range pairs {
		want[i] = public.Verify(p.message, p.sig)
	}
	return public, pairs, want
}

func verifyAll(v *Verifier, pairs []pair) []bool {
	messages, sigs := columns(pairs)
	ok := slices.Repeat([]bool{true}, len(pairs)) // to be overwritten
	v.Verify(messages, sigs, ok)
	return ok
}

// TestBatches cuts the same signatures into batches of several sizes: around the
// sizes of a chunk and of a lane, and through all tiers.
func TestBatches(t *testing.T) {
	public, pairs, want := mixed(t, 1500)
	for _, size := range []int{1, 2, 3, 7, 31, 33, 100, 127, 128, 129, 256, 511, 512, 513, 1024, 1025, 1500} {
		for _, seen := range []int64{0, 900, 8000} {
			v := New(public)
			v.seen.Store(seen)
			var got []bool
			for batch := range slices.Chunk(pairs, size) {
				got = append(got, verifyAll(v, batch)...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("batches of %d from %d on give other results", size, seen)
			}
		}
	}
	if got := verifyAll(New(public), nil); len(got) != 0 {
		t.Error("results for no signatures")
	}
}

func TestOrder(t *testing.T) {
	public, pairs, want := mixed(t, 600)
	r := rand.New(random(t.Name()))
	v := New(public)
	for range 5 {
		order := r.Perm(len(pairs))
		shuffled, expected := make([]pair, len(pairs)), make([]bool, len(pairs))
		for to, from := range order {
			shuffled[to], expected[to] = pairs[from], want[from]
		}
		if got := verifyAll(v, shuffled); !slices.Equal(got, expected) {
			t.Error("another order gives other results")
		}
	}
}

// TestTiers holds that tables are built when they should and are not before.
func TestTiers(t *testing.T) {
	public, pairs, want := mixed(t, 1)
	v := New(public)
	for _, tier := range append([]tier{{from: 1}}, tiers[1:]...) {
		for _, seen := range []int64{tier.from - 1, tier.from, tier.from + 1} {
			v.seen.Store(seen)
			if got := verifyAll(v, pairs); !slices.Equal(got, want) {
				t.Errorf("after %d signatures: wrong result", seen)
			}
			if got := v.tables.Load().width(); got != tier.a {
				t.Errorf("after %d signatures the width is %d, want %d", seen, got, tier.a)
			}
		}
	}
}

// TestConcurrent has goroutines share a Verifier while its tables grow.
func TestConcurrent(t *testing.T) {
	public, pairs, want := mixed(t, 1200)
	v := New(public)
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			size := 20 + 50*n
			var got []bool
			for batch := range slices.Chunk(pairs, size) {
				got = append(got, verifyAll(v, batch)...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("batches of %d beside others give other results", size)
			}
		})
	}
	wg.Wait()
	if got := v.tables.Load().width(); got == 0 {
		t.Error("no tables were built")
	}
}

// TestNoHelp holds that good signatures are accepted without crypto/ed25519, and
// that bad ones are put to it.
func TestNoHelp(t *testing.T) {
	key, pairs := honest(random(t.Name()), 1000)
	asked := 0
	v := withTables(key.Public().(ed25519.PublicKey), 9, 9, func([]byte, sign.Signature) bool { asked++; return false })
	pairs[700].sig[40] ^= 1
	got := verifyAll(v, pairs)
	if asked != 1 || got[700] || slices.Index(got, false) != 700 || slices.Contains(got[701:], false) {
		t.Errorf("asked %d times", asked)
	}
}

// TestZeroKey: the zero PublicKey is no key, though its 32 zero bytes are the
// encoding of a point of order four, for which signatures can be made up.
func TestZeroKey(t *testing.T) {
	var raw [32]byte
	var pairs []pair
	for i := range 64 { // s is zero, and R the identity or of order four
		for _, r := range []sign.Signature{{0: 1}, {}, {31: 0x80}} {
			pairs = append(pairs, pair{[]byte{byte(i)}, r})
		}
	}
	if library, tables := agree(t, raw[:], 7, pairs); library <= tables || tables == 0 {
		t.Errorf("of the forgeries crypto/ed25519 accepts %d and the tables %d: this tests little", library, tables)
	}
	v := New(sign.PublicKey{})
	v.seen.Store(1 << 20)
	if got := verifyAll(v, pairs); slices.Contains(got, true) {
		t.Error("the zero key verifies something")
	}
}

func TestLengthsDiffer(t *testing.T) {
	public, pairs, _ := mixed(t, 2)
	messages, sigs := columns(pairs)
	for _, call := range []func(){
		func() { New(public).Verify(messages[:1], sigs, make([]bool, 2)) },
		func() { New(public).Verify(messages, sigs, make([]bool, 1)) },
		func() { New(public).Verify(messages, sigs, make([]bool, 3)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("slices of different lengths are taken")
				}
			}()
			call()
		}()
	}
}

// TestAllocations calls the part below the pool, which may drop what it holds.
func TestAllocations(t *testing.T) {
	key, pairs := honest(random(t.Name()), chunk)
	messages, sigs := columns(pairs)
	ok := make([]bool, len(pairs))
	v := withTables(key.Public().(ed25519.PublicKey), 9, 9, nil)
	b := newBatch()
	if n := testing.AllocsPerRun(5, func() { b.verify(&v.raw, v.tables.Load(), messages, sigs, ok) }); n != 0 {
		t.Errorf("%v allocations for %d signatures", n, len(pairs))
	}
}
