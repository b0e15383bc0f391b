package main

// Times are whole microseconds, so that they are exact in the CSV.
const (
	epoch   = 1_767_225_600_000_000 // 2026-01-01T00:00:00Z, when sampling is said to begin
	skewPPM = 2                     // how much faster the wall clock runs than the monotonic one
	jitter  = 50                    // a time stamp is off by at most this
)

// stamps returns when each sample was taken, by the wall clock and by the
// monotonic one. Both are made up: a time read from a clock would differ in each
// run, and the run could not be repeated to the byte.
//
//	tau = n / rate        ts = epoch + tau (1 + skew) + jitter, uniform
func stamps(seed uint64, s stream) (ts, tau [samples]int64) {
	r := newPCG32(seed, s)
	for n := range samples {
		tau[n] = int64(n) * 1_000_000 / rate
		ts[n] = epoch + tau[n] + tau[n]*skewPPM/1_000_000 + int64(r.below(2*jitter+1)) - jitter
	}
	return ts, tau
}
