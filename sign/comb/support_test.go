package comb

import (
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"sync"
	"testing"

	"filippo.io/edwards25519"

	"github.com/relseal/relseal/sign"
)

// widths are those of the tiers, and 8; 8 and 11 do not divide 252.
var widths = []int{7, 8, 9, 11, 12}

func random(name string) *rand.ChaCha8 {
	var seed [32]byte
	copy(seed[:], name)
	return rand.NewChaCha8(seed)
}

func read(r *rand.ChaCha8, n int) []byte {
	b := make([]byte, n)
	r.Read(b)
	return b
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// scalar returns r mod L for 64 bytes r.
func scalar(wide []byte) *edwards25519.Scalar {
	s, err := edwards25519.NewScalar().SetUniformBytes(wide)
	if err != nil {
		panic(err)
	}
	return s
}

func small(n uint64) *edwards25519.Scalar {
	return scalar(append(binary.LittleEndian.AppendUint64(nil, n), make([]byte, 56)...))
}

func baseTimes(s *edwards25519.Scalar) *edwards25519.Point {
	return new(edwards25519.Point).ScalarBaseMult(s)
}

// torsion returns the eight points of small order.
func torsion(t testing.TB) []*edwards25519.Point {
	generator, err := new(edwards25519.Point).SetBytes(unhex(t, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
	if err != nil {
		t.Fatal(err)
	}
	points := []*edwards25519.Point{edwards25519.NewIdentityPoint()}
	for len(points) < 8 {
		points = append(points, new(edwards25519.Point).Add(points[len(points)-1], generator))
	}
	return points
}

// A pair is a message and what may be its signature.
type pair struct {
	message []byte
	sig     sign.Signature
}

func columns(pairs []pair) (messages [][]byte, sigs []sign.Signature) {
	for _, p := range pairs {
		messages, sigs = append(messages, p.message), append(sigs, p.sig)
	}
	return messages, sigs
}

// honest returns n signatures by a key.
func honest(r *rand.ChaCha8, n int) (ed25519.PrivateKey, []pair) {
	key := ed25519.NewKeyFromSeed(read(r, ed25519.SeedSize))
	pairs := make([]pair, n)
	for i := range pairs {
		pairs[i].message = read(r, 32)
		pairs[i].sig = sign.Signature(ed25519.Sign(key, pairs[i].message))
	}
	return key, pairs
}

// baseOf returns the table of B of just that width.
func baseOf(width int) *table {
	t, _ := bases.LoadOrStore(width, sync.OnceValue(func() *table {
		return newTable(edwards25519.NewGeneratorPoint(), width)
	}))
	return t.(func() *table)()
}

var bases sync.Map

// withTables returns a Verifier that has tables of these widths from the start and takes
// no wider ones. It asks confirm about what its tables do not accept.
func withTables(raw []byte, ofA, ofB int, confirm func([]byte, sign.Signature) bool) *Verifier {
	v := newVerifier([32]byte(raw), confirm)
	v.building.Lock() // somebody else builds, for ever
	if v.a != nil {
		v.tables.Store(&tables{a: newTable(v.a, ofA), b: baseOf(ofB)})
	}
	return v
}

// fast returns what the tables alone accept.
func fast(raw []byte, width int, pairs []pair) []bool {
	messages, sigs := columns(pairs)
	ok := make([]bool, len(pairs))
	withTables(raw, width, width, func([]byte, sign.Signature) bool { return false }).Verify(messages, sigs, ok)
	return ok
}

// agree holds that Verify says of every pair what crypto/ed25519 says, that the
// tables alone accept nothing else, and returns how many are accepted by
// crypto/ed25519 and by the tables.
func agree(t *testing.T, raw []byte, width int, pairs []pair) (library, tables int) {
	t.Helper()
	messages, sigs := columns(pairs)
	ok := make([]bool, len(pairs))
	withTables(raw, width, width, func(message []byte, s sign.Signature) bool {
		return ed25519.Verify(raw, message, s[:])
	}).Verify(messages, sigs, ok)
	alone := fast(raw, width, pairs)
	for i, p := range pairs {
		want := ed25519.Verify(raw, p.message, p.sig[:])
		if ok[i] != want {
			t.Errorf("width %d, key %x, message %x, signature %x: %v, crypto/ed25519 says %v", width, raw, p.message, p.sig[:], ok[i], want)
		}
		if alone[i] && !want {
			t.Errorf("width %d, key %x, message %x, signature %x: the tables accept it", width, raw, p.message, p.sig[:])
		}
		if want {
			library++
		}
		if alone[i] {
			tables++
		}
	}
	return library, tables
}
