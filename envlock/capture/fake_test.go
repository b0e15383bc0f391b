package capture

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/envlock"
)

// A tree is a fake machine: files by absolute path. A content that starts with
// "#!" is a program, one that starts with "-> " a symbolic link.
type tree map[string]string

const absent = "\x00absent" // as a content: no such file

func (files tree) write(t testing.TB, dir string) {
	t.Helper()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if content == absent {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(target, file)
		} else {
			mode := os.FileMode(0o644)
			if strings.HasPrefix(content, "#!") {
				mode = 0o755
			}
			err = os.WriteFile(file, []byte(content), mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// with returns files with some of them replaced.
func (files tree) with(changes tree) tree {
	all := maps.Clone(files)
	maps.Copy(all, changes)
	return all
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

// fakeMachine is a small Debian on x86 in which nothing but files answers.
var fakeMachine = tree{
	"/etc/os-release":                                       "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID='12'\n# VERSION_ID=13\n",
	"/proc/sys/kernel/ostype":                               "Linux\n",
	"/proc/sys/kernel/osrelease":                            "6.1.0-21-amd64\n",
	"/proc/sys/kernel/version":                              "#1 SMP PREEMPT_DYNAMIC Debian 6.1.90-1 (2024-05-03)\n",
	"/proc/sys/kernel/arch":                                 "x86_64\n",
	"/lib64/ld-linux-x86-64.so.2":                           "-> ../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
	"/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2":            "\x7fELF loader",
	"/lib/x86_64-linux-gnu/libc.so.6":                       "\x7fELF\x00GNU C Library (Debian GLIBC 2.36-9+deb12u7) stable release version 2.36.\nCopyright\x00",
	"/proc/driver/nvidia/version":                           "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.161.07  Sat Feb 17\nGCC version:  gcc 12\n",
	"/proc/driver/nvidia/gpus/0000:01:00.0/information":     "Model: \t\t NVIDIA A100\nGPU UUID: \t GPU-1111\n",
	"/sys/class/dmi/id/bios_vendor":                         "SeaBIOS\n",
	"/sys/class/dmi/id/bios_version":                        "1.16.2\n",
	"/sys/class/dmi/id/product_name":                        "Standard PC\n",
	"/sys/fs/cgroup/cgroup.controllers":                     "cpu memory\n",
	"/proc/cpuinfo":                                         fakeCPU + strings.Replace(fakeCPU, "processor\t: 0", "processor\t: 1", 1),
	"/proc/meminfo":                                         "MemTotal:       16384 kB\nMemFree:         1234 kB\n",
	"/etc/alternatives/libblas.so.3-x86_64-linux-gnu":       "-> /usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3",
	"/usr/bin/cc":                                           "-> ../../opt/gcc/gcc-12",
	"/opt/gcc/gcc-12":                                       "#!/bin/sh\necho 'cc (Debian) 12.2.0'; echo Copyright\n",
	"/bin/python3":                                          "#!/bin/sh\necho Python 3.11.2\n",
	"/bin/go":                                               fakeGo,
	"/proc/self/status":                                     "Name:\tcat\nUmask:\t0022\nPid:\t42\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n",
	"/proc/sys/kernel/randomize_va_space":                   "2\n",
	"/sys/devices/system/cpu/online":                        "0-1\n",
	"/sys/devices/system/cpu/smt/control":                   "on\n",
	"/sys/devices/system/node/node0/cpulist":                "0-1\n",
	"/sys/devices/system/node/node0/numastat":               "numa_hit 1\n",
	"/sys/fs/cgroup/cpu.max":                                "max 100000\n",
	"/sys/fs/cgroup/memory.max":                             "max\n",
	"/sys/block/nvme0n1/device/model":                       "Samsung SSD 980 1TB                     \n",
	"/sys/block/nvme0n1/device/serial":                      "S64A1\n",
	"/sys/block/nvme0n1/removable":                          "0\n",
	"/sys/block/loop0/removable":                            "0\n",
	"/sys/class/net/eth0/device/vendor":                     "0x8086\n",
	"/sys/class/net/eth0/device/device":                     "0x1572\n",
	"/sys/class/net/eth0/address":                           "52:54:00:12:34:56\n",
	"/sys/class/net/lo/address":                             "00:00:00:00:00:00\n",
	"/etc/localtime":                                        "-> ../usr/share/zoneinfo/Europe/Berlin",
	"/proc/uptime":                                          "1.5 2.5\n",
	"/proc/loadavg":                                         "0.1 0.2 0.3 1/100 4242\n",
	"/etc/hostname":                                         "build-1\n",
	"/etc/machine-id":                                       "0123456789abcdef0123456789abcdef\n",
	"/sys/class/dmi/id/product_serial":                      "SN-1\n",
	"/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2400000\n",
	"/var/lib/docker/containers/feedface/config.v2.json":    "{}",
	"/proc/self/cgroup":                                     "0::/docker/feedface\n",
}

const fakeCPU = `processor	: 0
vendor_id	: GenuineIntel
cpu family	: 6
model		: 85
model name	: Intel(R) Xeon(R) Gold   6148 CPU @ 2.40GHz
stepping	: 4
microcode	: 0x2006e05
cpu MHz		: 2400.123
physical id	: 0
core id		: 0
cpu cores	: 2
flags		: sse2 fpu avx
bogomips	: 4800.00

`

const fakeGo = `#!/bin/sh
case $1 in
version) echo go version go1.26.0 linux/amd64 ;;
env) echo '{"GOVERSION":"go1.26.0","GOOS":"linux","GOARCH":"amd64","GOAMD64":"v1","GOARM":"","GOFLAGS":"","GOTOOLCHAIN":"auto","CGO_ENABLED":"0"}' ;;
esac
`

var fakeEnv = map[string]string{"PATH": "/usr/bin:/bin", "HOME": "/home/u", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "4", "CC": "cc"}

var fakeProject = tree{"/go.sum": "sum v1\n", "/web/lock.json": "{}"}

// request writes a fake machine and a fake project and returns what captures
// them. A parallel test writes before it is parallel: a program that another
// test's child still has open for writing cannot be run.
func request(t testing.TB, machine, project tree, env map[string]string) Request {
	t.Helper()
	r := Request{
		Dir:       t.TempDir(),
		Root:      t.TempDir(),
		Tools:     []string{"cc", "go", "python3"},
		Locks:     []string{"web/lock.json", "go.sum", "go.sum"},
		Env:       []string{"CC", "CXX"},
		LookupEnv: lookup(env),
	}
	machine.write(t, r.Root)
	project.write(t, r.Dir)
	return r
}

// capture captures a fake machine with a fake project.
func capture(t testing.TB, machine, project tree, env map[string]string, change func(*Request)) (envlock.Lock, error) {
	t.Helper()
	r := request(t, machine, project, env)
	if change != nil {
		change(&r)
	}
	return Capture(context.Background(), r)
}

func show(s *string) string {
	if s == nil {
		return "null or absent"
	}
	return *s
}
