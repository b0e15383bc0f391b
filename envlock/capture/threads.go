package capture

import (
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/relseal/relseal/envlock"
)

// threads adds what decides over how many threads a program starts and where
// they run: the CPUs that this process, and what it starts, may use. affinity is
// "all" unless somebody restricted them: the list alone would change with the
// machine, which hw says already.
func (m *machine) threads(c envlock.Component) {
	if !m.linux {
		c["threads"] = text(strconv.Itoa(runtime.NumCPU()))
		return
	}
	c["affinity"], c["threads"], c["umask"] = nil, nil, nil
	data, err := m.read("/proc/self/status")
	if err != nil {
		return
	}
	for l := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(l, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Cpus_allowed_list":
			m.affinity(c, value)
		case "Umask": // of the files that steps make
			c["umask"] = line(value)
		}
	}
}

func (m *machine) affinity(c envlock.Component, list string) {
	allowed, ok := cpuList(list)
	if !ok {
		return
	}
	c["affinity"] = line(list)
	c["threads"] = text(strconv.Itoa(len(allowed)))
	data, err := m.read("/sys/devices/system/cpu/online")
	if err != nil {
		if !isAbsent(err) {
			c["affinity"], c["threads"] = nil, nil
		}
		return
	}
	// Some kernels allow CPUs that are not there.
	if online, ok := cpuList(strings.TrimSpace(string(data))); ok && contains(allowed, online) {
		c["affinity"] = text("all")
		c["threads"] = text(strconv.Itoa(len(online)))
	}
}

// cpuList reads the kernel's form of a set of CPUs, 0-3,8, in order.
func cpuList(s string) (cpus []int, ok bool) {
	const most = 1 << 16 // CPUs that any kernel knows
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		if errA != nil || errB != nil || a < 0 || b < a || b >= most || len(cpus) > most {
			return nil, false
		}
		for i := a; i <= b; i++ {
			cpus = append(cpus, i)
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), true
}

// contains reports whether all of b are in a; both are in order.
func contains(a, b []int) bool {
	return !slices.ContainsFunc(b, func(n int) bool {
		_, ok := slices.BinarySearch(a, n)
		return !ok
	})
}

// topology adds how the CPUs are arranged: sockets, cores, threads of a core, and
// which CPUs share a memory. Sums that are done in parallel depend on it.
func (m *machine) topology(c envlock.Component, info cpuinfo) {
	if v, ok := info.each["physical id"]; ok {
		c["sockets"] = text(strconv.Itoa(len(strings.Split(v, ", "))))
	}
	if v, ok := info.each["cpu cores"]; ok {
		c["cores_per_socket"] = line(v)
	}
	m.put(c, "smt", "/sys/devices/system/cpu/smt/control")
	m.putList(c, "numa_map", "; ", m.numa)
}

// numa returns the CPUs of each node: "0: 0-15".
func (m *machine) numa() (nodes []string) {
	const dir = "/sys/devices/system/node"
	for _, n := range numbered(m.names(dir), "node") {
		if data, err := m.read(path.Join(dir, fmt.Sprintf("node%d", n), "cpulist")); err == nil {
			nodes = append(nodes, fmt.Sprintf("%d: %s", n, strings.TrimSpace(string(data))))
		}
	}
	return nodes
}

// numbered returns the numbers of the names that are prefix and a number, in order.
func numbered(names []string, prefix string) (list []int) {
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, prefix)
		if n, err := strconv.Atoi(digits); ok && err == nil && n >= 0 {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list
}
