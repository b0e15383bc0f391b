package main

// What is measured and learned. cards/params.yaml states these with their unit
// and domain; a test compares.
const (
	rate    = 100  // samples a second
	train   = 4096 // samples to learn from
	samples = 1024 // samples to predict, directly after them
	settle  = 256  // samples thrown away before: the signal starts from rest
)

// The signal is an autoregressive process of order two, a resonance near 12 Hz
// that noise keeps going: x[n] = poleA x[n-1] + poleB x[n-2] + noise.
const (
	poleA = 1.4
	poleB = -0.9025
)

// signal returns train+samples values.
//
// Here and wherever floating point is used, float64(a*b) keeps the compiler from
// fusing a product with the sum around it, as it may on some processors: the
// result is rounded there and has the same bits everywhere.
func signal(seed uint64) []float64 {
	r := newPCG32(seed, streamSignal)
	x := make([]float64, settle+train+samples)
	for n := 2; n < len(x); n++ {
		x[n] = float64(poleA*x[n-1]) + float64(poleB*x[n-2]) + r.normal()
	}
	return x[settle:]
}
