package comb

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/relseal/relseal/sign"
)

// versus runs pairs of the same work done here and by crypto/ed25519, one after
// the other, at least seven, and reports the median time of a signature either
// way and the median ratio.
func versus(b *testing.B, signatures int, ours, library func()) {
	clock := func(f func()) float64 {
		start := time.Now()
		f()
		return float64(time.Since(start).Nanoseconds()) / float64(signatures)
	}
	median := func(x []float64) float64 { slices.Sort(x); return x[len(x)/2] }
	var here, there, ratio []float64
	one := func() {
		h, t := clock(ours), clock(library)
		here, there, ratio = append(here, h), append(there, t), append(ratio, t/h)
	}
	for b.Loop() {
		one()
	}
	for len(ratio) < 7 {
		one()
	}
	b.ReportMetric(0, "ns/op") // of a pair: says nothing
	b.ReportMetric(median(here), "ns/signature")
	b.ReportMetric(median(there), "ns/stdlib")
	b.ReportMetric(median(ratio), "x-stdlib")
}

// library verifies with crypto/ed25519.
func library(key ed25519.PublicKey, messages [][]byte, sigs []sign.Signature) func() {
	return func() {
		for i, m := range messages {
			if !ed25519.Verify(key, m, sigs[i][:]) {
				panic("an honest signature does not verify")
			}
		}
	}
}

// BenchmarkVerify verifies batches of 256 with tables of each tier, in one
// goroutine.
func BenchmarkVerify(b *testing.B) {
	for _, tier := range tiers[1:] {
		b.Run(fmt.Sprintf("widths=%d,%d", tier.a, tier.b), func(b *testing.B) {
			key, pairs := honest(random(b.Name()), 256)
			messages, sigs := columns(pairs)
			ok := make([]bool, len(pairs))
			public := key.Public().(ed25519.PublicKey)
			v := withTables(public, tier.a, tier.b, publicKey(b, key).Verify)
			versus(b, len(pairs), func() { v.Verify(messages, sigs, ok) }, library(public, messages, sigs))
		})
	}
}

// BenchmarkTrail verifies a trail of n signatures from nothing, in batches of at
// most 256: the tables of the key are built on the way, those of B are there.
func BenchmarkTrail(b *testing.B) {
	for _, tier := range tiers[1:] {
		baseTable(tier.b)
	}
	for _, n := range []int{16, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			key, pairs := honest(random(b.Name()), n)
			messages, sigs := columns(pairs)
			ok := make([]bool, len(pairs))
			public := publicKey(b, key)
			versus(b, n, func() {
				v := New(public)
				for at := 0; at < n; at += 256 {
					end := min(at+256, n)
					v.Verify(messages[at:end], sigs[at:end], ok[at:end])
				}
			}, library(public.Bytes(), messages, sigs))
		})
	}
}

func BenchmarkTable(b *testing.B) {
	for _, width := range widths {
		b.Run(fmt.Sprintf("width=%d", width), func(b *testing.B) {
			p := baseTimes(small(3))
			b.ReportAllocs()
			for b.Loop() {
				newTable(p, width)
			}
		})
	}
}
