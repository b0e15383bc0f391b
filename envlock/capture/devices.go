package capture

import (
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/relseal/relseal/envlock"
)

// drivers returns the versions of kernel drivers that compute.
func (m *machine) drivers() envlock.Component {
	c := envlock.Component{}
	if !m.linux {
		return c
	}
	if data, err := m.read("/proc/driver/nvidia/version"); err == nil {
		first, _, _ := strings.Cut(string(data), "\n") // the second line is of the compiler
		c["nvidia"] = line(strings.TrimPrefix(first, "NVRM version:"))
	} else if !isAbsent(err) || m.exists("/proc/driver/nvidia") {
		c["nvidia"] = nil
	}
	for _, module := range []string{"amdgpu", "i915", "xe", "habanalabs", "neuron"} {
		dir := "/sys/module/" + module
		m.put(c, module, dir+"/version") // of one that is not the kernel's own
		if _, ok := c[module]; !ok {
			m.put(c, module, dir+"/srcversion")
		}
		if _, ok := c[module]; ok {
			continue
		}
		there := false
		if !m.known(func() { there = m.exists(dir) }) {
			c[module] = nil
		} else if there {
			c[module] = text("of the kernel") // whose release says which
		}
	}
	return c
}

// firmware returns what DMI or the device tree says of the board, and the
// microcode of the CPU. Serial numbers are next to these files and stay there.
func (m *machine) firmware() envlock.Component {
	c := envlock.Component{}
	if !m.linux {
		nativeFirmware(c)
		return c
	}
	m.put(c, "product_name", "/proc/device-tree/model")
	for _, fact := range []string{"bios_vendor", "bios_version", "product_name"} {
		m.put(c, fact, "/sys/class/dmi/id/"+fact)
	}
	m.putList(c, "gpu_bios", ", ", func() []string { return slices.Compact(m.nvidia("Video BIOS")) })
	switch v, ok := m.cpuinfo().each["microcode"]; {
	case ok:
		c["microcode"] = line(v)
	case runtime.GOARCH == "amd64" || runtime.GOARCH == "386":
		c["microcode"] = nil
	}
	return c
}

// gpus returns the models of NVIDIA's GPUs and the ids of AMD's and Intel's, one
// for each, each kind sorted.
func (m *machine) gpus() []string {
	return append(m.nvidia("Model"), m.devices("drm", "card", "1002", "8086")...)
}

// nvidia returns what the driver says of each GPU under a key, sorted. The same
// files hold UUIDs, which stay there.
func (m *machine) nvidia(key string) (values []string) {
	const dir = "/proc/driver/nvidia/gpus"
	for _, bus := range m.names(dir) {
		data, err := m.read(path.Join(dir, bus, "information"))
		if err != nil {
			continue
		}
		for l := range strings.Lines(string(data)) {
			if k, value, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == key {
				values = append(values, strings.TrimSpace(value))
			}
		}
	}
	slices.Sort(values)
	return values
}
