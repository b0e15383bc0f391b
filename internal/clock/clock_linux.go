package clock

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// bootClock returns CLOCK_MONOTONIC under a name made from the boot id, or nil
// where the two do not belong together. The id itself stays private: machines
// are recognised by it.
func bootClock() *Clock {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	boot := strings.TrimSpace(string(id))
	if err != nil || boot == "" || shifted() {
		return nil
	}
	if _, err := monotonic(); err != nil {
		return nil
	}
	sum := sha256.Sum256([]byte("relseal clock\n" + boot))
	return &Clock{
		name: hex.EncodeToString(sum[:])[:32],
		mono: func() int64 {
			us, _ := monotonic() // the call cannot fail once it has worked
			return us
		},
	}
}

// synchronised asks the kernel whether something keeps its time to that of others.
// Setting the time by hand ends that.
func synchronised() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t) // with no mode set it only reads
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}

func monotonic() (us int64, err error) {
	var ts unix.Timespec
	err = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano() / 1000, err
}

// shifted reports whether this process lives in a time namespace whose
// monotonic clock is offset against that of the machine (time_namespaces(7)):
// the boot id is the same inside and outside.
func shifted() bool {
	data, err := os.ReadFile("/proc/self/timens_offsets")
	if err != nil {
		return false // a kernel without time namespaces
	}
	for line := range bytes.Lines(data) {
		f := strings.Fields(string(line))
		if len(f) == 3 && (f[0] == "monotonic" || f[0] == "1") && (f[1] != "0" || f[2] != "0") {
			return true
		}
	}
	return false
}
