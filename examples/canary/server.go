package main

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
)

// handler serves the product: /wave?t=SECONDS answers with one value of a signal,
// /healthz with the version.
func handler() http.Handler {
	var asked atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, version) })
	mux.HandleFunc("GET /wave", func(w http.ResponseWriter, r *http.Request) {
		t, err := strconv.ParseFloat(r.FormValue("t"), 64)
		switch {
		case err != nil:
			http.Error(w, "t is no number", http.StatusBadRequest)
		case fault == "drop" && asked.Add(1)%4 == 0:
			http.Error(w, "dropped", http.StatusServiceUnavailable)
		default:
			fmt.Fprintln(w, wave(t))
		}
	})
	return mux
}

// wave is what the releases after 1.0.0 compute with half the digits: the change
// that a canary has to show to be harmless.
func wave(t float64) float64 {
	v := math.Sin(2*math.Pi*t) + 0.25*math.Sin(6*math.Pi*t)
	if version != "1.0.0" {
		return float64(float32(v))
	}
	return v
}
