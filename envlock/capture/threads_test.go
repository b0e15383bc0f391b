package capture

import (
	"slices"
	"testing"

	"github.com/relseal/relseal/envlock"
)

func TestCPUList(t *testing.T) {
	for s, want := range map[string][]int{
		"0": {0}, "0-3": {0, 1, 2, 3}, "8,0-1": {0, 1, 8}, "1,1,0-1": {0, 1},
		"": nil, "x": nil, "3-1": nil, "-1": nil, "0-": nil, "0,": nil, "0-99999999": nil, " 1": nil,
	} {
		got, ok := cpuList(s)
		if ok != (want != nil) || ok && !slices.Equal(got, want) {
			t.Errorf("%q: %v %v, want %v", s, got, ok, want)
		}
	}
}

func TestThreads(t *testing.T) {
	for _, tt := range []struct{ name, allowed, online, affinity, threads string }{
		{"all", "0-3", "0-3", "all", "4"},
		{"more than there are", "0-127", "0-3", "all", "4"},
		{"some", "1,3", "0-3", "1,3", "2"},
		{"another CPU is off", "0-2", "0,2-3", "0-2", "3"},
		{"nobody says how many there are", "0-1", absent, "0-1", "2"},
		{"nonsense", "all of them", "0-3", "null or absent", "null or absent"},
		{"no status", absent, "0-3", "null or absent", "null or absent"},
	} {
		files := tree{"/proc/self/status": "Cpus_allowed_list:\t" + tt.allowed + "\n", "/sys/devices/system/cpu/online": tt.online + "\n"}
		if tt.allowed == absent {
			files["/proc/self/status"] = absent
		}
		if tt.online == absent {
			files["/sys/devices/system/cpu/online"] = absent
		}
		dir := t.TempDir()
		files.write(t, dir)
		c := envlock.Component{}
		(&machine{root: root(dir), linux: true}).threads(c)
		if got := show(c["affinity"]); got != tt.affinity {
			t.Errorf("%s: affinity %s, want %s", tt.name, got, tt.affinity)
		}
		if got := show(c["threads"]); got != tt.threads {
			t.Errorf("%s: threads %s, want %s", tt.name, got, tt.threads)
		}
	}
}

func TestCgroupLimits(t *testing.T) {
	const v1, v2 = "/sys/fs/cgroup/", "/sys/fs/cgroup/"
	version2 := tree{v2 + "cgroup.controllers": "", "/proc/self/cgroup": "0::/a/b\n"}
	version1 := tree{v1 + "memory/tasks": "", v1 + "cpu/tasks": "", "/proc/self/cgroup": "9:cpu,cpuacct:/a/b\n4:memory:/m\n0::/\n"}
	none := "null or absent"
	for _, tt := range []struct {
		name        string
		base, files tree
		cpu, memory string
	}{
		{"no limit", version2, nil, none, none},
		{"max", version2, tree{v2 + "cpu.max": "max 100000\n", v2 + "memory.max": "max\n"}, none, none},
		{"own group", version2, tree{v2 + "a/b/cpu.max": "250000 100000\n", v2 + "a/b/memory.max": "4096\n"}, "2.5", "4096"},
		{"the lowest counts", version2, tree{v2 + "a/b/cpu.max": "300000 100000\n", v2 + "a/cpu.max": "50000 100000\n", v2 + "a/b/memory.max": "max\n", v2 + "a/memory.max": "8192\n"}, "0.5", "8192"},
		{"a third", version2, tree{v2 + "a/cpu.max": "10000 30000\n"}, "0.333", none},
		{"a sibling's", version2, tree{v2 + "a/c/cpu.max": "50000 100000\n"}, none, none},
		{"no group told", version2, tree{"/proc/self/cgroup": absent, v2 + "cpu.max": "100000 100000\n"}, "1", none},
		{"group above the top", version2, tree{"/proc/self/cgroup": "0::/../../x\n", v2 + "x/cpu.max": "100000 100000\n"}, "1", none},
		{"nonsense", version2, tree{v2 + "cpu.max": "1 0\n", v2 + "memory.max": "-1\n"}, none, none},
		{"version 1", version1, tree{v1 + "cpu/a/cpu.cfs_quota_us": "150000\n", v1 + "cpu/a/cpu.cfs_period_us": "100000\n", v1 + "memory/memory.limit_in_bytes": "4096\n"}, "1.5", "4096"},
		{"version 1 without limits", version1, tree{v1 + "cpu/cpu.cfs_quota_us": "-1\n", v1 + "cpu/cpu.cfs_period_us": "100000\n",
			v1 + "memory/m/memory.limit_in_bytes": "9223372036854771712\n"}, none, none},
	} {
		dir := t.TempDir()
		tt.base.with(tt.files).write(t, dir)
		c := envlock.Component{}
		(&machine{root: root(dir), linux: true}).limits(c)
		if got := show(c["cpu_limit"]); got != tt.cpu {
			t.Errorf("%s: cpu_limit %s, want %s", tt.name, got, tt.cpu)
		}
		if got := show(c["memory_limit"]); got != tt.memory {
			t.Errorf("%s: memory_limit %s, want %s", tt.name, got, tt.memory)
		}
	}
}
