package main

import (
	"math"
	"testing"
	"time"
)

func TestMeasures(t *testing.T) {
	want := make([]float64, 64)
	got := make([]float64, 64)
	for i := range want {
		want[i] = math.Sin(2 * math.Pi * float64(i) / 64)
		got[i] = 1.1 * want[i]
	}
	if d := deltaRep(got, want); math.Abs(d-0.1) > 1e-12 {
		t.Errorf("delta_rep %v", d)
	}
	if d := deltaPSD(got, want); math.Abs(d-0.21) > 1e-9 { // power goes with the square
		t.Errorf("delta_psd %v", d)
	}
	if d := deltaRep(nil, nil); decimal(d) != "NaN" {
		t.Errorf("without answers: %v", d)
	}
	var ts, tau []float64
	for i := range 100 {
		tau = append(tau, float64(i))
		ts = append(ts, 5+1.0001*float64(i)+0.001*float64(1-2*(i%2)))
	}
	if r := residual(ts, tau); math.Abs(r-0.001) > 1e-5 {
		t.Errorf("r_tb %v", r)
	}
}

func TestWindow(t *testing.T) {
	end := time.UnixMilli(10_000)
	s := samples{asked: 4, dropped: 1, beats: 2, missed: 1, want: []float64{1, 2, 3}, got: []float64{1, 2, 3}, ts: []float64{0, 1}, tau: []float64{0, 1}}
	w := s.window("w", "canary", end.Add(-windowLength), end, end.Add(-1500*time.Millisecond))
	if w.DropRate != "0.250000000" || w.HBLag != "1.500000000" || w.IncidentRate != "1" || w.Score != "0.875000000" || w.EndMS-w.StartMS != 2000 {
		t.Errorf("%+v", w)
	}
}
