package capture

import (
	"encoding/binary"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/relseal/relseal/envlock"
)

// backend says what a program here could compute on, which is not to say that it
// does, and with which libraries.
func (m *machine) backend() envlock.Component {
	c := envlock.Component{"kind": text("cpu")}
	if !m.linux {
		return c
	}
	for _, device := range []struct{ file, kind string }{
		{"/dev/accel", "accel"}, // the kernel's class of accelerators
		{"/dev/neuron0", "accel"},
		{"/dev/kfd", "gpu"}, // AMD
		{"/dev/nvidiactl", "gpu"},
	} {
		there := false
		if !m.known(func() { there = m.exists(device.file) }) {
			c["kind"] = nil
		} else if there {
			c["kind"] = text(device.kind)
		}
	}
	m.putLibraries(c)
	return c
}

// optionVariables change what numerical programs compute, or how texts sort and
// times print, in every program that reads them.
var optionVariables = []string{
	"GOMAXPROCS",
	"OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OMP_SCHEDULE", "OMP_DYNAMIC", "OMP_PROC_BIND", "OMP_PLACES",
	"GOMP_CPU_AFFINITY", "KMP_AFFINITY", "KMP_DETERMINISTIC_REDUCTION",
	"MKL_NUM_THREADS", "MKL_DYNAMIC", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS",
	"OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "BLIS_NUM_THREADS", "BLIS_ARCH_TYPE", "VECLIB_MAXIMUM_THREADS",
	"NUMEXPR_NUM_THREADS", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY",
	"CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE", "TF_DETERMINISTIC_OPS", "TF_ENABLE_ONEDNN_OPTS",
	"GLIBC_TUNABLES", "PYTHONHASHSEED",
	"LANG", "LC_ALL", "TZ",
}

// options returns how this process may compute, and the option variables that
// are set, null where the value is no text of one line.
func (m *machine) options(r Request) envlock.Component {
	c := envlock.Component{
		revisionFact: text(revision),
		"byte_order": text(byteOrder()),
		"page_size":  text(strconv.Itoa(os.Getpagesize())),
	}
	if r.RNGFamily != "" {
		c[rngFact] = line(r.RNGFamily)
	}
	m.threads(c)
	m.floatingPoint(c)
	if m.linux {
		m.put(c, "aslr", "/proc/sys/kernel/randomize_va_space")
		m.timezone(c)
	}
	for _, name := range optionVariables {
		if v, ok := m.lookup(name); ok {
			c[name] = line(v)
		}
	}
	return c
}

// timezone adds the zone of programs that do not get TZ: steps do not, unless the
// pipeline lists it.
func (m *machine) timezone(c envlock.Component) {
	target, err := os.Readlink(m.root.path("/etc/localtime"))
	if _, zone, ok := strings.Cut(target, "/zoneinfo/"); err == nil && ok {
		c["timezone"] = line(zone)
		return
	}
	if err != nil && !errors.Is(err, syscall.EINVAL) && m.note(err) != nil && !isAbsent(err) { // EINVAL: no link
		c["timezone"] = nil
		return
	}
	m.put(c, "timezone", "/etc/timezone") // beside a copy of the zone's file
}

func byteOrder() string {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return "little"
	}
	return "big"
}
