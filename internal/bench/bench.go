// Package bench measures how fast trails are verified on this machine.
package bench

import (
	"runtime"

	"github.com/relseal/relseal/canon"
)

// Rounds is how often each way is measured: enough for a median.
const Rounds = 7

// A Report is what was measured. Times are in nanoseconds an event.
type Report struct {
	Schema     string `json:"schema"`
	Version    string `json:"version"`
	Go         string `json:"go"`
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	Processors int    `json:"processors"`
	Events     int64  `json:"events"`
	Bytes      int64  `json:"bytes"`
	Rounds     int    `json:"rounds"`
	PeakMemory int64  `json:"peak_memory"` // bytes that verify needs, the program itself not counted
	Ways       []Way  `json:"ways"`
}

// A Way is one way of verifying.
type Way struct {
	Name  string         `json:"name"`
	Wall  int64          `json:"wall_ns"`
	CPU   *int64         `json:"cpu_ns"`    // of all threads; null where the system does not tell
	Ratio canon.Decimal  `json:"ratio"`     // wall time over that of verify
	Over  *canon.Decimal `json:"cpu_ratio"` // processor time over that of the signatures alone
}

func newReport(t *Trail, version string) *Report {
	return &Report{
		Schema: "relseal/bench-verify/v1", Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Processors: runtime.GOMAXPROCS(0), Events: t.events, Bytes: t.size, Rounds: Rounds,
	}
}
