package capture

import (
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/relseal/relseal/envlock"
)

// hw returns the processor, the memory and the devices.
func (m *machine) hw() envlock.Component {
	c := envlock.Component{}
	if !m.linux {
		c["cpus"] = text(strconv.Itoa(runtime.NumCPU()))
		nativeHW(c)
		return c
	}
	var info cpuinfo
	if !m.known(func() { info = m.cpuinfo() }) {
		for fact := range cpuFacts {
			c[fact] = nil
		}
		c["cpu_flags"], c["sockets"], c["cores_per_socket"] = nil, nil, nil
	}
	c["cpu_model"], c["cpus"] = nil, nil
	for fact, keys := range cpuFacts {
		for _, key := range keys {
			if v, ok := info.each[key]; ok {
				c[fact] = line(v)
				break
			}
		}
	}
	if info.flags != nil {
		c["cpu_flags"] = line(strings.Join(info.flags, " "))
	}
	if info.count > 0 {
		c["cpus"] = text(strconv.Itoa(info.count))
	}
	m.topology(c, info)
	c["memory"] = m.memory()
	for fact, list := range map[string]func() []string{
		"gpus": m.gpus, "accelerators": func() []string { return m.devices("accel", "accel") },
		"storage": m.storage, "nics": func() []string { return m.devices("net", "") },
	} {
		m.putList(c, fact, "; ", list)
	}
	return c
}

// cpuFacts says which member of /proc/cpuinfo a fact is; the first that is there
// counts. The names differ by architecture: x86, arm64, ppc64, s390x, riscv64.
var cpuFacts = map[string][]string{
	"cpu_vendor":   {"vendor_id", "CPU implementer", "mvendorid"},
	"cpu_model":    {"model name", "cpu", "uarch", "CPU part", "marchid", "machine"},
	"cpu_number":   {"model", "CPU part"},
	"cpu_family":   {"cpu family", "CPU architecture"},
	"cpu_stepping": {"stepping", "CPU revision", "revision", "mimpid"},
	"cpu_variant":  {"CPU variant"},
}

// cpuinfo is what /proc/cpuinfo says and does not change by itself, as clock
// frequencies do.
type cpuinfo struct {
	count int               // of logical CPUs
	each  map[string]string // the distinct values of a member, sorted, where CPUs differ
	flags []string          // that every CPU has, sorted; nil: none are told
}

func (m *machine) cpuinfo() cpuinfo {
	data, err := m.read("/proc/cpuinfo")
	if err != nil {
		return cpuinfo{}
	}
	return parseCPUInfo(string(data))
}

func parseCPUInfo(data string) cpuinfo {
	var info cpuinfo
	values := map[string][]string{}
	for l := range strings.Lines(data) {
		key, value, ok := strings.Cut(l, ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case !ok:
		case key == "processor", strings.HasPrefix(key, "processor "): // s390x: "processor 0: version = …"
			info.count++
		case key == "flags", key == "Features", key == "features", key == "isa":
			info.flags = common(info.flags, strings.Fields(value))
		case !slices.Contains(values[key], value):
			values[key] = append(values[key], value)
		}
	}
	info.each = make(map[string]string, len(values))
	for key, v := range values {
		slices.Sort(v)
		info.each[key] = strings.Join(v, ", ")
	}
	return info
}

// common returns the flags that are in both, sorted; all of b if there is no a yet.
func common(a, b []string) []string {
	b = sorted(b)
	if a == nil {
		return b
	}
	return slices.DeleteFunc(a, func(flag string) bool {
		_, ok := slices.BinarySearch(b, flag)
		return !ok
	})
}

// memory returns the bytes that the kernel manages, in whole MiB: how many pages
// it keeps for itself varies a little between machines of one kind and from boot
// to boot. It is null if it cannot be read.
func (m *machine) memory() *string {
	data, err := m.read("/proc/meminfo")
	if err != nil {
		return nil
	}
	for l := range strings.Lines(string(data)) {
		if f := strings.Fields(l); len(f) == 3 && f[0] == "MemTotal:" && f[2] == "kB" {
			kib, err := strconv.ParseUint(f[1], 10, 50)
			if err != nil {
				return nil
			}
			return text(strconv.FormatUint((kib+512)>>10<<20, 10))
		}
	}
	return nil
}
