package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
)

// epsFloor keeps delta_rep finite for a reference that is zero throughout.
const epsFloor = 1e-12

// report returns delta_rep of two series of the same sample times.
func report(refFile, newFile string) (float64, error) {
	refTau, ref, err := readFile(refFile)
	if err != nil {
		return 0, err
	}
	newTau, got, err := readFile(newFile)
	if err != nil {
		return 0, err
	}
	switch {
	case len(ref) == 0:
		return 0, errors.New("no samples")
	case !slices.Equal(refTau, newTau):
		return 0, errors.New("the two series have different sample times")
	}
	return deltaRep(got, ref), nil
}

// deltaRep is norm(got - ref) / max(norm(ref), epsFloor) with the Euclidean norm.
func deltaRep(got, ref []float64) float64 {
	difference := make([]float64, len(ref))
	for i := range ref {
		difference[i] = got[i] - ref[i]
	}
	return norm(difference) / max(norm(ref), epsFloor)
}

func norm(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v * v)
	}
	return math.Sqrt(sum)
}

func readFile(name string) (tau []string, y []float64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if tau, y, err = readSeries(f); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return tau, y, nil
}
