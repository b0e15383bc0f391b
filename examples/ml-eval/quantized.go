package main

import (
	"math"
	"runtime"
	"sync"
)

// The new implementation computes with integers: weights of weightBits bits, and
// values in steps of 1/valueSteps.
const (
	weightBits = 8
	valueSteps = 4096
)

// predictQuantized is the new implementation. It divides the work among the
// processors. Sums of integers do not depend on their order and each result has
// its own place, so that any number of processors gives the same bytes; the step
// "again" of the pipeline holds that.
func predictQuantized(w [order]float64, x []float64) []float64 {
	weights, step := quantize(w)
	values := make([]int64, len(x))
	for n, v := range x {
		values[n] = int64(math.Round(v * valueSteps))
	}
	y := make([]float64, samples)
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for k := worker; k < samples; k += workers {
				n := len(x) - samples + k
				var sum int64
				for i, weight := range weights {
					sum += weight * values[n-1-i]
				}
				y[k] = float64(sum) * step / valueSteps
			}
		})
	}
	wg.Wait()
	return y
}

// quantize returns the weights as multiples of step, the largest of which just
// fits into weightBits bits.
func quantize(w [order]float64) (q [order]int64, step float64) {
	const top = 1<<(weightBits-1) - 1
	var most float64
	for _, v := range w {
		most = max(most, math.Abs(v))
	}
	step = most / top
	for i, v := range w {
		q[i] = int64(math.Round(v / step))
	}
	return q, step
}
