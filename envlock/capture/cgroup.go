package capture

import (
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/relseal/relseal/envlock"
)

// cgroupDir is where both versions of the hierarchy are mounted.
const cgroupDir = "/sys/fs/cgroup"

// limits adds what this process may use at most: the CPUs, as a number with at
// most three decimals, and the memory. Without a limit there is no fact. What
// counts is the lowest limit on the way from its own group to the top.
func (m *machine) limits(c envlock.Component) {
	var v float64
	known := func(v1, v2 limit) bool {
		return m.known(func() {
			if m.cgroup() == "1" {
				v2 = v1
			}
			v = m.lowest(v2)
		})
	}
	if !known(v1CPU, v2CPU) {
		c["cpu_limit"] = nil
	} else if v < math.MaxFloat64 {
		c["cpu_limit"] = text(strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64))
	}
	if !known(v1Memory, v2Memory) {
		c["memory_limit"] = nil
	} else if v < unlimited {
		c["memory_limit"] = text(strconv.FormatFloat(v, 'f', 0, 64))
	}
}

// unlimited is what version 1 has for no limit of memory: the largest number of
// bytes, rounded to pages.
const unlimited = 1 << 62

// A limit is found in a file of each group, or in two.
type limit struct {
	controller string // of version 1; "" is version 2
	files      []string
	value      func(fields []string) (float64, bool)
}

var (
	v2CPU    = limit{"", []string{"cpu.max"}, quota}
	v2Memory = limit{"", []string{"memory.max"}, number}
	v1CPU    = limit{"cpu", []string{"cpu.cfs_quota_us", "cpu.cfs_period_us"}, quota}
	v1Memory = limit{"memory", []string{"memory.limit_in_bytes"}, number}
)

// quota is microseconds of every period, "max" or -1 for no limit.
func quota(fields []string) (float64, bool) {
	if len(fields) != 2 {
		return 0, false
	}
	q, err1 := strconv.ParseInt(fields[0], 10, 53)
	period, err2 := strconv.ParseInt(fields[1], 10, 53)
	return float64(q) / float64(period), err1 == nil && err2 == nil && q > 0 && period > 0
}

func number(fields []string) (float64, bool) {
	if len(fields) != 1 {
		return 0, false
	}
	n, err := strconv.ParseUint(fields[0], 10, 64)
	return float64(n), err == nil
}

// lowest returns the lowest limit of the group of this process and those above
// it, MaxFloat64 if there is none. In a container the own group's path can be
// one of the host's, which is not there: the top is its own then.
func (m *machine) lowest(l limit) float64 {
	lowest := math.MaxFloat64
	for p := m.ownGroup(l.controller); ; p = path.Dir(p) {
		var fields []string
		for _, file := range l.files {
			data, err := m.read(path.Join(cgroupDir, l.controller, p, file))
			if err == nil {
				fields = append(fields, strings.Fields(string(data))...)
			}
		}
		if v, ok := l.value(fields); ok {
			lowest = min(lowest, v)
		}
		if p == "/" {
			return lowest
		}
	}
}

// ownGroup returns the path of this process in a hierarchy, "/" if it is not told:
// lines of /proc/self/cgroup are 0::/user.slice and 4:cpu,cpuacct:/docker/1f2e.
func (m *machine) ownGroup(controller string) string {
	data, _ := m.read("/proc/self/cgroup")
	for l := range strings.Lines(string(data)) {
		f := strings.SplitN(strings.TrimSpace(l), ":", 3)
		if len(f) != 3 {
			continue
		}
		for name := range strings.SplitSeq(f[1], ",") {
			if name == controller {
				return path.Clean("/" + f[2])
			}
		}
	}
	return "/"
}
