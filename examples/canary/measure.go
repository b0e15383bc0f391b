package main

import (
	"math"
	"math/cmplx"
	"strconv"
	"time"
)

// samples are what was seen in one window.
type samples struct {
	asked, dropped int
	beats, missed  int
	want, got      []float64 // answers of the baseline and of the release to the same questions
	ts, tau        []float64 // wall time and monotonic time in seconds, read together
}

var began = time.Now()

func (s *samples) clock(now time.Time) {
	s.ts = append(s.ts, float64(now.UnixNano()-began.UnixNano())/1e9)
	s.tau = append(s.tau, now.Sub(began).Seconds())
}

// A window is one line of what relseal release observe reads.
type window struct {
	ID           string `json:"id"`
	Channel      string `json:"channel"`
	StartMS      int64  `json:"start_ms"`
	EndMS        int64  `json:"end_ms"`
	Score        string `json:"score"`
	DeltaRep     string `json:"delta_rep"`
	DeltaPSD     string `json:"delta_psd"`
	RTB          string `json:"r_tb"`
	HBLag        string `json:"hb_lag"`
	DropRate     string `json:"drop_rate"`
	IncidentRate string `json:"incident_rate"`
	N            int    `json:"n"`
	K            int    `json:"k"`
	LastBeatMS   int64  `json:"last_beat_ms"`
	PSDKind      string `json:"psd_kind"`
	TBKind       string `json:"tb_kind"`
	TBUnit       string `json:"tb_unit"`
}

// The threshold of r_tb, which the score is relative to, as in gates.yaml.
const tauTB = 0.01

func (s *samples) window(id, channel string, start, end, beat time.Time) window {
	rep, psd, tb := deltaRep(s.got, s.want), deltaPSD(s.got, s.want), residual(s.ts, s.tau)
	stable := ratio(s.beats-s.missed, s.beats)
	// S32-20 with equal weights: reproduction, spectrum, time base, stability.
	score := (clip(1-rep) + clip(1-psd) + clip(1-tb/tauTB) + stable) / 4
	return window{
		ID: id, Channel: channel, StartMS: start.UnixMilli(), EndMS: end.UnixMilli(),
		Score: decimal(score), DeltaRep: decimal(rep), DeltaPSD: decimal(psd), RTB: decimal(tb),
		HBLag: decimal(max(0, end.Sub(beat).Seconds())), DropRate: decimal(ratio(s.dropped, s.asked)), IncidentRate: strconv.Itoa(s.missed),
		N: s.asked, K: s.dropped, LastBeatMS: min(beat.UnixMilli(), end.UnixMilli()), PSDKind: "rel_l1", TBKind: "rms", TBUnit: "s",
	}
}

// deltaRep is |got − want| / |want|, L2. Without answers it is no number.
func deltaRep(got, want []float64) float64 {
	diff, norm := 0.0, 0.0
	for i := range want {
		diff += (got[i] - want[i]) * (got[i] - want[i])
		norm += want[i] * want[i]
	}
	return math.Sqrt(diff) / math.Sqrt(norm)
}

// deltaPSD is the relative L1 distance of the two power spectra.
func deltaPSD(got, want []float64) float64 {
	diff, sum := 0.0, 0.0
	for k := range len(want)/2 + 1 {
		a, b := power(got, k), power(want, k)
		diff += math.Abs(a - b)
		sum += b
	}
	return diff / sum
}

func power(x []float64, k int) float64 {
	var sum complex128
	for i, v := range x {
		sum += complex(v, 0) * cmplx.Rect(1, -2*math.Pi*float64(k*i%len(x))/float64(len(x)))
	}
	return real(sum)*real(sum) + imag(sum)*imag(sum)
}

// residual is the rms of ts − (alpha + beta·tau) for the best alpha and beta.
func residual(ts, tau []float64) float64 {
	n := float64(len(ts))
	var mt, mu, cov, vary, sum float64
	for i := range ts {
		mt, mu = mt+ts[i]/n, mu+tau[i]/n
	}
	for i := range ts {
		cov += (tau[i] - mu) * (ts[i] - mt)
		vary += (tau[i] - mu) * (tau[i] - mu)
	}
	for i := range ts {
		r := ts[i] - mt - cov/vary*(tau[i]-mu)
		sum += r * r
	}
	return math.Sqrt(sum / n)
}

func ratio(part, whole int) float64 { return float64(part) / float64(whole) }

func clip(v float64) float64 { return max(0, min(1, v)) }

// decimal writes what was measured; what is no number stays what it is, and
// relseal decides nothing by it.
func decimal(v float64) string { return strconv.FormatFloat(v, 'f', 9, 64) }
