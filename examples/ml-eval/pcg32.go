package main

import (
	"fmt"
	"math/bits"
	"strconv"
)

// pcg32 is PCG-XSH-RR 64/32 (O'Neill 2014) as in its reference implementation.
// It is written out here: a library's generator may change with the library, and
// these numbers must be the same in ten years.
type pcg32 struct{ state, inc uint64 }

// A stream is a sequence of its own under the same seed, so that drawing more
// numbers for one purpose shifts none for another.
type stream uint64

const (
	streamSignal   stream = 1
	streamRefClock stream = 2
	streamNewClock stream = 3
)

func newPCG32(seed uint64, s stream) *pcg32 {
	r := &pcg32{inc: uint64(s)<<1 | 1}
	r.next()
	r.state += seed
	r.next()
	return r
}

func (r *pcg32) next() uint32 {
	old := r.state
	r.state = old*6364136223846793005 + r.inc
	return bits.RotateLeft32(uint32((old>>18^old)>>27), -int(old>>59))
}

// below returns one of 0 to n-1. It draws again instead of favouring the small
// ones, as a remainder alone would.
func (r *pcg32) below(n uint32) uint32 {
	for least := -n % n; ; {
		if v := r.next(); v >= least {
			return v % n
		}
	}
}

// normal returns a number of about the standard normal distribution: the sum of
// twelve uniform ones, which needs addition alone and so has the same bits on
// every machine. Logarithm and cosine do not.
func (r *pcg32) normal() float64 {
	var sum uint64
	for range 12 {
		sum += uint64(r.next())
	}
	return float64(int64(sum)-6<<32) / (1 << 32) // exact: a power of two
}

// parseSeed takes a seed as the PipelineCard writes it.
func parseSeed(text string) (uint64, error) {
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil || strconv.FormatUint(seed, 10) != text {
		return 0, fmt.Errorf("seed %q is not an unsigned 64-bit number in decimal", text)
	}
	return seed, nil
}
