package main

// The model predicts a value from the ones before it, as a weighted sum.
const (
	order = 8     // how many values before it
	ridge = 0.001 // keeps the weights small where the data say little
)

// fit returns the weights of least squares over x, the latest value's first: the
// solution of the normal equations (X'X + ridge I) w = X'y.
func fit(x []float64) [order]float64 {
	var a [order][order + 1]float64
	for n := order; n < len(x); n++ {
		for i := range order {
			for j := range order {
				a[i][j] += float64(x[n-1-i] * x[n-1-j])
			}
			a[i][order] += float64(x[n-1-i] * x[n])
		}
	}
	for i := range order {
		a[i][i] += ridge
	}
	return solve(a)
}

// solve is Gaussian elimination. The matrix is positive definite: no pivot is
// zero, and no rows need to change places.
func solve(a [order][order + 1]float64) (w [order]float64) {
	for i := range order {
		for k := i + 1; k < order; k++ {
			f := a[k][i] / a[i][i]
			for j := i; j <= order; j++ {
				a[k][j] -= float64(f * a[i][j])
			}
		}
	}
	for i := order - 1; i >= 0; i-- {
		sum := a[i][order]
		for j := i + 1; j < order; j++ {
			sum -= float64(a[i][j] * w[j])
		}
		w[i] = sum / a[i][i]
	}
	return w
}
