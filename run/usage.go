package run

import (
	"fmt"
	"os"
	"time"

	"github.com/relseal/relseal/canon"
)

// usage is what a command, or a whole run, took.
type usage struct {
	wall, user, sys time.Duration
	peak            int64 // bytes of memory; 0 where the system does not say
}

// used reads what the system counted for a process and the descendants that it
// waited for.
func used(p *os.ProcessState, wall time.Duration) usage {
	return usage{wall: wall, user: p.UserTime(), sys: p.SystemTime(), peak: peakMemory(p)}
}

// add counts v, a step, to u. Steps run one at a time, so the peak is a maximum.
func (u *usage) add(v usage) {
	u.user += v.user
	u.sys += v.sys
	u.peak = max(u.peak, v.peak)
}

// snapshot returns u as TS.snapshot: makespan, cpu_user and cpu_sys in seconds,
// peak_mem in bytes. On Linux peak_mem is never below the memory of the program
// that started the command: the kernel counts the moment between fork and exec.
func (u usage) snapshot() map[string]canon.Decimal {
	m := map[string]canon.Decimal{
		"makespan": seconds(u.wall),
		"cpu_user": seconds(u.user),
		"cpu_sys":  seconds(u.sys),
	}
	if u.peak > 0 {
		m["peak_mem"] = canon.Decimal(fmt.Sprint(u.peak))
	}
	return m
}

func seconds(d time.Duration) canon.Decimal {
	us := max(d, 0).Microseconds()
	v, err := canon.ImportDecimal(fmt.Sprintf("%d.%06d", us/1e6, us%1e6))
	if err != nil {
		panic(err) // at most 19 digits: always a decimal
	}
	return v
}
