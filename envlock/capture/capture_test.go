//go:build unix

package capture

import (
	"bytes"
	"context"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/limits"
	"github.com/relseal/relseal/internal/testuser"
)

// Two captures of the machine that runs the test are the same bytes.
func TestCaptureTwice(t *testing.T) {
	r := Request{Dir: t.TempDir(), Tools: []string{"go", "sh"}, Env: []string{"CGO_ENABLED"}, Packages: true}
	var first []byte
	for range 2 {
		l, err := Capture(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		data, err := l.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := envlock.Parse(data); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		}
		if !bytes.Equal(first, data) {
			t.Errorf("two captures differ:\n%s\n%s", first, data)
		}
		if v := l.Env.Compilers["go.version"]; v == nil || !strings.HasPrefix(*v, "go version go") {
			t.Errorf("go.version is %v", v)
		}
		if _, ok := l.Env.Runtimes["sh.digest"]; !ok {
			t.Error("sh is not among the runtimes")
		}
	}
}

func TestCaptureFakeMachine(t *testing.T) {
	l, err := capture(t, fakeMachine, fakeProject, fakeEnv, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]map[string]string{
		"os":         {"id": "debian", "version_id": "12", "pretty_name": "Debian GNU/Linux 12 (bookworm)"},
		"kernel":     {"name": "Linux", "release": "6.1.0-21-amd64", "version": "#1 SMP PREEMPT_DYNAMIC Debian 6.1.90-1 (2024-05-03)", "machine": "x86_64"},
		"libc":       {"name": "glibc", "version": "2.36", "build": "Debian GLIBC 2.36-9+deb12u7", "loader": "ld-linux-x86-64.so.2"},
		"compilers":  {"cc.file": "gcc-12", "cc.version": "cc (Debian) 12.2.0", "go.version": "go version go1.26.0 linux/amd64", "go.GOAMD64": "v1", "go.GOFLAGS": ""},
		"runtimes":   {"python3.version": "Python 3.11.2", "python3.file": "python3"},
		"drivers":    {"nvidia": "NVIDIA UNIX x86_64 Kernel Module 535.161.07 Sat Feb 17"},
		"firmware":   {"bios_vendor": "SeaBIOS", "bios_version": "1.16.2", "product_name": "Standard PC", "microcode": "0x2006e05"},
		"containers": {"cgroup": "2"},
		"hw": {"cpu_vendor": "GenuineIntel", "cpu_model": "Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz", "cpu_family": "6", "cpu_number": "85",
			"cpu_stepping": "4", "cpu_flags": "avx fpu sse2", "cpus": "2", "memory": "16777216", "gpus": "NVIDIA A100",
			"sockets": "1", "cores_per_socket": "2", "smt": "on", "numa_map": "0: 0-1", "storage": "Samsung SSD 980 1TB", "nics": "8086:1572"},
		"backend": {"kind": "cpu", "blas_impl": "openblas-pthread"},
		"options": {"OMP_NUM_THREADS": "4", "LANG": "C.UTF-8", "capture": revision, "threads": "2", "affinity": "all", "umask": "0022", "aslr": "2",
			"timezone": "Europe/Berlin", "round_mode": "nearest", "ftz": "off", "daz": "off"},
	} {
		facts := maps.Collect(l.Env.All())[name]
		for fact, want := range want {
			if got := facts[fact]; got == nil || *got != want {
				t.Errorf("%s %s is %v, want %q", name, fact, show(got), want)
			}
		}
	}
	if _, ok := l.Env.Compilers["go.GOARM"]; ok {
		t.Error("a setting of another architecture is recorded")
	}
	if len(l.Locks) != 2 || l.Locks[0].Path != "go.sum" {
		t.Errorf("lock files %v", l.Locks)
	}
	if l.Variables["CXX"] != nil || len(l.Variables) != 2 || *l.Variables["CC"] != "cc" {
		t.Errorf("variables %v", l.Variables)
	}
}

// One thing of the machine changes; the difference names it, and nothing else.
func TestCaptureNamesDrift(t *testing.T) {
	env := func(name, value string) map[string]string {
		e := maps.Clone(fakeEnv)
		e[name] = value
		return e
	}
	libc := fakeMachine["/lib/x86_64-linux-gnu/libc.so.6"]
	cpu := func(old, new string) tree {
		return tree{"/proc/cpuinfo": strings.ReplaceAll(fakeMachine["/proc/cpuinfo"], old, new)}
	}
	long := strings.Repeat("x", limits.JSONString+1)
	tests := []struct {
		name    string
		machine tree
		project tree
		env     map[string]string
		want    string // component and fact, separated by commas
	}{
		{name: "nothing"},
		// Volatile facts.
		{name: "clock frequency", machine: cpu("2400.123", "1200.5")},
		{name: "bogomips", machine: cpu("4800.00", "4800.01")},
		{name: "free memory", machine: tree{"/proc/meminfo": "MemTotal:       16384 kB\nMemFree:  7 kB\n"}},
		{name: "uptime, load, names and ids", machine: tree{"/proc/uptime": "9 9\n", "/proc/loadavg": "9 9 9 9/9 9\n", "/etc/hostname": "build-2\n",
			"/etc/machine-id": "f\n", "/sys/class/dmi/id/product_serial": "SN-2\n", "/proc/self/cgroup": "0::/docker/beef\n",
			"/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1\n"}},
		{name: "ids of this process", machine: tree{"/proc/self/status": strings.Replace(fakeMachine["/proc/self/status"], "42", "43", 1)}},
		{name: "addresses and serial numbers", machine: tree{"/sys/class/net/eth0/address": "52:54:00:00:00:01\n", "/sys/block/nvme0n1/device/serial": "X\n"}},
		{name: "order and names of devices", machine: tree{"/sys/class/net/eth0/device/vendor": absent, "/sys/class/net/eth0/device/device": absent,
			"/sys/class/net/enp3s0/device/vendor": "0x8086\n", "/sys/class/net/enp3s0/device/device": "0x1572\n"}},
		{name: "something plugged in", machine: tree{"/sys/block/sr0/removable": "1\n", "/sys/block/sr0/device/model": "DVD\n",
			"/sys/bus/usb1/sdb/model": "Stick\n", "/sys/block/sdb/device": "-> ../../bus/usb1/sdb", "/sys/block/sdb/removable": "0\n"}},
		{name: "pages that the kernel keeps", machine: tree{"/proc/meminfo": "MemTotal:       16380 kB\n"}},
		{name: "interfaces without a device", machine: tree{"/sys/class/net/docker0/address": "x\n", "/sys/block/zram0/removable": "0\n"}},
		{name: "installed package", machine: tree{"/var/lib/dpkg/status": "Package: less\nStatus: install ok installed\nVersion: 590\n"}},
		{name: "order of PATH", env: env("PATH", "/bin:/usr/bin")},
		{name: "order of CPU flags", machine: cpu("sse2 fpu avx", "avx fpu sse2")},
		{name: "UUID of a GPU", machine: tree{"/proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA A100\nGPU UUID: \t GPU-2222\n"}},
		{name: "unlisted variable", env: env("EDITOR", "ed")},
		// os, kernel
		{name: "distribution", machine: tree{"/etc/os-release": strings.Replace(fakeMachine["/etc/os-release"], "'12'", "'13'", 1)}, want: "os version_id"},
		{name: "rolling build", machine: tree{"/etc/os-release": fakeMachine["/etc/os-release"] + "BUILD_ID=rolling\n"}, want: "os build_id"},
		{name: "no os-release", machine: tree{"/etc/os-release": absent}, want: "os id, os pretty_name, os version_id"},
		{name: "os-release elsewhere", machine: tree{"/etc/os-release": absent, "/usr/lib/os-release": fakeMachine["/etc/os-release"]}},
		{name: "text that is not UTF-8", machine: tree{"/etc/os-release": strings.Replace(fakeMachine["/etc/os-release"], "debian", "\xff", 1)}, want: "os id"},
		{name: "text that is too long", machine: tree{"/etc/os-release": strings.Replace(fakeMachine["/etc/os-release"], "debian", long, 1)}, want: "os id"},
		{name: "kernel", machine: tree{"/proc/sys/kernel/osrelease": "6.1.0-22-amd64\n"}, want: "kernel release"},
		{name: "kernel build", machine: tree{"/proc/sys/kernel/version": "#2 SMP\n"}, want: "kernel version"},
		{name: "old kernel", machine: tree{"/proc/sys/kernel/arch": absent}, want: "kernel machine"},
		// libc
		{name: "libc release", machine: tree{"/lib/x86_64-linux-gnu/libc.so.6": strings.Replace(libc, "version 2.36", "version 2.37", 1)}, want: "libc digest, libc version"},
		{name: "libc rebuilt", machine: tree{"/lib/x86_64-linux-gnu/libc.so.6": strings.Replace(libc, "deb12u7", "deb12u8", 1)}, want: "libc build, libc digest"},
		{name: "libc patched", machine: tree{"/lib/x86_64-linux-gnu/libc.so.6": libc + "!"}, want: "libc digest"},
		{name: "loader", machine: tree{"/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2": "other"}, want: "libc loader_digest"},
		{name: "musl beside it", machine: tree{"/lib/ld-musl-x86_64.so.1": "musl libc (x86_64)\x00\x001.2.3\x00"}},
		// tools
		{name: "compiler rebuilt", machine: tree{"/opt/gcc/gcc-12": fakeMachine["/opt/gcc/gcc-12"] + "#\n"}, want: "compilers cc.digest"},
		{name: "other file behind the link", machine: tree{"/usr/bin/cc": "-> gcc-12.2", "/usr/bin/gcc-12.2": fakeMachine["/opt/gcc/gcc-12"]}, want: "compilers cc.file"},
		{name: "found earlier", machine: tree{"/usr/bin/python3": "#!/bin/sh\necho Python 3.12.0\n"}, want: "runtimes python3.digest, runtimes python3.version"},
		{name: "wrapper of another shell", machine: tree{"/bin/python3": "#!/bin/sh -e\necho Python 3.11.2\n"}, want: "runtimes python3.digest, runtimes python3.script"},
		{name: "go setting", machine: tree{"/bin/go": strings.Replace(fakeGo, `"v1"`, `"v3"`, 1)}, want: "compilers go.GOAMD64, compilers go.digest"},
		// drivers, firmware, containers
		{name: "driver", machine: tree{"/proc/driver/nvidia/version": "NVRM version: NVIDIA 550\n"}, want: "drivers nvidia"},
		{name: "driver not readable", machine: tree{"/proc/driver/nvidia/version": absent}, want: "drivers nvidia"},
		{name: "another driver", machine: tree{"/sys/module/amdgpu/version": "6.7.0\n"}, want: "drivers amdgpu"},
		{name: "driver of the kernel", machine: tree{"/sys/module/xe/parameters/x": ""}, want: "drivers xe"},
		{name: "driver with a source version", machine: tree{"/sys/module/i915/srcversion": "ABC\n"}, want: "drivers i915"},
		{name: "BIOS of a GPU", machine: tree{"/proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA A100\nVideo BIOS: \t 92.00.19\n"},
			want: "firmware gpu_bios"},
		{name: "BIOS", machine: tree{"/sys/class/dmi/id/bios_version": "1.17.0\n"}, want: "firmware bios_version"},
		{name: "BIOS vendor", machine: tree{"/sys/class/dmi/id/bios_vendor": "coreboot\n"}, want: "firmware bios_vendor"},
		{name: "board without DMI entry", machine: tree{"/sys/class/dmi/id/product_name": absent, "/proc/device-tree/model": "Standard PC\x00"}},
		{name: "control character", machine: tree{"/sys/class/dmi/id/product_name": "a\x1b[31mb\n"}, want: "firmware product_name"},
		{name: "microcode", machine: cpu("0x2006e05", "0x2006e06"), want: "firmware microcode"},
		{name: "cgroup", machine: tree{"/sys/fs/cgroup/cgroup.controllers": absent, "/sys/fs/cgroup/memory/tasks": ""}, want: "containers cgroup"},
		{name: "limit of CPUs", machine: tree{"/sys/fs/cgroup/cpu.max": "250000 100000\n"}, want: "containers cpu_limit"},
		{name: "limit of memory", machine: tree{"/sys/fs/cgroup/memory.max": "1073741824\n"}, want: "containers memory_limit"},
		{name: "limit of the own group", machine: tree{"/sys/fs/cgroup/docker/feedface/cpu.max": "50000 100000\n"}, want: "containers cpu_limit"},
		{name: "docker", machine: tree{"/.dockerenv": ""}, want: "containers kind"},
		{name: "kubernetes", env: env("KUBERNETES_SERVICE_HOST", "10.0.0.1"), want: "containers kind"},
		{name: "systemd-nspawn", machine: tree{"/run/systemd/container": "systemd-nspawn\n"}, want: "containers kind"},
		{name: "podman", machine: tree{"/run/.containerenv": "engine=\"podman-4.3.1\"\nname=\"x\"\nid=\"feedface\"\nimage=\"debian:12\"\nimageid=\"abc\"\n"},
			want: "containers engine, containers image, containers image_id, containers kind"},
		// hw, backend, options
		{name: "CPU model", machine: cpu("6148", "6248"), want: "hw cpu_model"},
		{name: "CPU flag that one CPU lacks", machine: tree{"/proc/cpuinfo": strings.Replace(fakeMachine["/proc/cpuinfo"], " avx", "", 1)}, want: "hw cpu_flags"},
		{name: "one CPU less", machine: tree{"/proc/cpuinfo": fakeCPU}, want: "hw cpus"},
		{name: "memory", machine: tree{"/proc/meminfo": "MemTotal: 32768 kB\n"}, want: "hw memory"},
		{name: "memory not readable", machine: tree{"/proc/meminfo": absent}, want: "hw memory"},
		{name: "socket", machine: tree{"/proc/cpuinfo": fakeCPU + strings.NewReplacer("processor\t: 0", "processor\t: 1", "physical id\t: 0", "physical id\t: 1").Replace(fakeCPU)},
			want: "hw sockets"},
		{name: "cores", machine: cpu("cpu cores	: 2", "cpu cores	: 4"), want: "hw cores_per_socket"},
		{name: "threads of a core", machine: tree{"/sys/devices/system/cpu/smt/control": "off\n"}, want: "hw smt"},
		{name: "memory of its own", machine: tree{"/sys/devices/system/node/node0/cpulist": "0\n", "/sys/devices/system/node/node1/cpulist": "1\n"}, want: "hw numa_map"},
		{name: "disk", machine: tree{"/sys/block/nvme0n1/device/model": "Samsung SSD 990\n"}, want: "hw storage"},
		{name: "network card", machine: tree{"/sys/class/net/eth0/device/device": "0x15b3\n"}, want: "hw nics"},
		{name: "accelerator", machine: tree{"/sys/class/accel/accel0/device/vendor": "0x1da3\n", "/sys/class/accel/accel0/device/device": "0x1020\n"}, want: "hw accelerators"},
		{name: "AMD's GPU", machine: tree{"/sys/class/drm/card0/device/vendor": "0x1002\n", "/sys/class/drm/card0/device/device": "0x740c\n",
			"/sys/class/drm/card0-DP-1/device/vendor": "0x1002\n", "/sys/class/drm/card0-DP-1/device/device": "0x740c\n"}, want: "hw gpus"},
		{name: "screen of a virtual machine", machine: tree{"/sys/class/drm/card0/device/vendor": "0x1234\n", "/sys/class/drm/card0/device/device": "0x1111\n"}},
		{name: "second GPU", machine: tree{"/proc/driver/nvidia/gpus/0000:02:00.0/information": "Model: NVIDIA H100\n"}, want: "hw gpus"},
		{name: "GPU to compute on", machine: tree{"/dev/kfd": ""}, want: "backend kind"},
		{name: "BLAS rebuilt", machine: tree{"/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3": "new"}, want: "backend blas_digest, backend blas_file"},
		{name: "LAPACK of Fedora", machine: tree{"/usr/lib64/liblapack.so.3": "-> liblapack.so.3.10", "/usr/lib64/liblapack.so.3.10": "l"},
			want: "backend lapack_digest, backend lapack_file, backend lapack_impl"},
		{name: "library of neural networks", machine: tree{"/usr/lib/x86_64-linux-gnu/libdnnl.so.3": "-> libdnnl.so.3.1", "/usr/lib/x86_64-linux-gnu/libdnnl.so.3.1": "d"},
			want: "backend dnn_digest, backend dnn_file, backend dnn_impl"},
		{name: "BLAS", machine: tree{"/etc/alternatives/libblas.so.3-x86_64-linux-gnu": "-> /usr/lib/x86_64-linux-gnu/blas/libblas.so.3"}, want: "backend blas_impl"},
		{name: "LAPACK", machine: tree{"/etc/alternatives/liblapack.so.3": "-> /usr/lib/lapack/liblapack.so.3"}, want: "backend lapack_impl"},
		{name: "threads", env: env("OMP_NUM_THREADS", "8"), want: "options OMP_NUM_THREADS"},
		{name: "CPUs of this process", machine: tree{"/proc/self/status": strings.Replace(fakeMachine["/proc/self/status"], "0-1", "1", 1)},
			want: "options affinity, options threads"},
		{name: "CPUs that the kernel could have", machine: tree{"/proc/self/status": strings.Replace(fakeMachine["/proc/self/status"], "0-1", "0-127", 1)}},
		{name: "umask", machine: tree{"/proc/self/status": strings.Replace(fakeMachine["/proc/self/status"], "0022", "0077", 1)}, want: "options umask"},
		{name: "addresses of programs", machine: tree{"/proc/sys/kernel/randomize_va_space": "0\n"}, want: "options aslr"},
		{name: "time zone", machine: tree{"/etc/localtime": "-> /usr/share/zoneinfo/UTC"}, want: "options timezone"},
		{name: "time zone in a copy", machine: tree{"/etc/localtime": "TZif2", "/etc/timezone": "Europe/Berlin\n"}},
		{name: "code of libm", env: env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2"), want: "options GLIBC_TUNABLES"},
		{name: "locale", env: env("LC_ALL", "de_DE.UTF-8"), want: "options LC_ALL"},
		// the project
		{name: "lock file", project: tree{"/go.sum": "sum v2\n"}, want: "locks go.sum"},
		{name: "variable", env: env("CC", "clang"), want: "variables CC"},
		{name: "variable set to nothing", env: env("CXX", ""), want: "variables CXX"},
	}
	base, err := capture(t, fakeMachine, fakeProject, fakeEnv, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := tt.env
			if e == nil {
				e = fakeEnv
			}
			r := request(t, fakeMachine.with(tt.machine), fakeProject.with(tt.project), e)
			t.Parallel()
			l, err := Capture(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range envlock.Diff(base, l) {
				got = append(got, d.Component+" "+d.Fact)
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("differs in %q, want %q", s, tt.want)
			}
		})
	}
}

// A machine that tells nothing still gives a document; what every machine has is
// null in it.
func TestCaptureEmptyMachine(t *testing.T) {
	l, err := Capture(t.Context(), Request{Dir: t.TempDir(), Root: t.TempDir(), LookupEnv: lookup(nil)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		facts envlock.Component
		fact  string
	}{{l.Env.OS, "id"}, {l.Env.Kernel, "release"}, {l.Env.HW, "cpu_model"}, {l.Env.HW, "cpus"}, {l.Env.HW, "memory"}} {
		if v, ok := c.facts[c.fact]; !ok || v != nil {
			t.Errorf("%s is %s, want null", c.fact, show(v))
		}
	}
	if len(l.Env.Libc)+len(l.Env.Drivers)+len(l.Env.Containers)+len(l.Env.Compilers)+len(l.Env.Runtimes) > 0 {
		t.Errorf("facts out of nothing: %v", l.Env)
	}
}

// A real file of the system that cannot be read is null, not absent.
func TestCaptureUnreadable(t *testing.T) {
	if !testuser.Ordinary(t) {
		return
	}
	l, err := capture(t, fakeMachine, fakeProject, fakeEnv, func(r *Request) {
		if err := os.Chmod(root(r.Root).path("/sys/class/dmi/id/bios_version"), 0); err != nil {
			t.Fatal(err)
		}
	})
	if v, ok := l.Env.Firmware["bios_version"]; err != nil || !ok || v != nil {
		t.Errorf("bios_version is %s, %v, want null", show(v), err)
	}
}

func TestCaptureCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Capture(ctx, Request{Dir: t.TempDir(), Tools: []string{"sh"}}); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
