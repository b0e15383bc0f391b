package main

// predictReference is the reference implementation: one value after the other,
// in double precision. It returns a prediction for each of the last samples
// values of x.
func predictReference(w [order]float64, x []float64) []float64 {
	y := make([]float64, 0, samples)
	for n := len(x) - samples; n < len(x); n++ {
		var sum float64
		for i, weight := range w {
			sum += float64(weight * x[n-1-i])
		}
		y = append(y, sum)
	}
	return y
}
