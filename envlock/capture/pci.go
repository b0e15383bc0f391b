package capture

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// storage returns the models of the disks, one for each, sorted. Serial numbers
// and sizes stay out, and so does what people plug in and pull out.
func (m *machine) storage() (models []string) {
	const dir = "/sys/block"
	for _, name := range m.names(dir) {
		device := path.Join(dir, name, "device")
		if m.oneLine(path.Join(dir, name, "removable")) == "1" || m.pluggable(device) {
			continue
		}
		model := m.oneLine(path.Join(device, "model"))
		if model == "" {
			model = m.deviceID(device)
		}
		if model != "" {
			models = append(models, model)
		}
	}
	slices.Sort(models)
	return models
}

// devices returns the ids of the devices of a class, one for each, sorted:
// "8086:1572" as lspci -n prints them. Virtual devices have none.
func (m *machine) devices(class, prefix string, vendors ...string) (ids []string) {
	dir := path.Join("/sys/class", class)
	for _, name := range m.names(dir) {
		device := path.Join(dir, name, "device")
		id := m.deviceID(device)
		vendor, _, _ := strings.Cut(id, ":")
		switch {
		case id == "", strings.Contains(name, "-"), !strings.HasPrefix(name, prefix): // card0-DP-1 is a plug of card0
		case len(vendors) > 0 && !slices.Contains(vendors, vendor):
		case m.pluggable(device):
		default:
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// deviceID returns vendor:device of a device of PCI or virtio, "" for others.
func (m *machine) deviceID(dir string) string {
	vendor := strings.TrimPrefix(m.oneLine(path.Join(dir, "vendor")), "0x")
	device := strings.TrimPrefix(m.oneLine(path.Join(dir, "device")), "0x")
	if vendor == "" || device == "" {
		return ""
	}
	return vendor + ":" + device
}

// pluggable reports whether a device is behind USB.
func (m *machine) pluggable(dir string) bool {
	real, err := filepath.EvalSymlinks(m.root.path(dir))
	return m.note(err) == nil && strings.Contains(filepath.ToSlash(real), "/usb")
}

// oneLine returns the text of a file, "" if there is none.
func (m *machine) oneLine(name string) string {
	data, err := m.read(name)
	if err != nil {
		return ""
	}
	if s := line(string(data)); s != nil {
		return *s
	}
	return ""
}
