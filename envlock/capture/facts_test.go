package capture

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/internal/limits"
)

func TestOSRelease(t *testing.T) {
	got := parseOSRelease("# ID=x\n\nID=a\nID=b\nQ=\"a b \\\"c\\\" \\$d \\\\ \\`\"\nS='a \"b\"'\nE=\nEMPTY=\"\"\nHALF=\"x\n  I=x  \nnone\nEQ=a=b\r\n")
	want := map[string]string{"ID": "b", "Q": "a b \"c\" $d \\ `", "S": `a "b"`, "E": "", "EMPTY": "", "HALF": `"x`, "I": "x", "EQ": "a=b"}
	if !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLine(t *testing.T) {
	for s, want := range map[string]string{
		"":                                       "",
		" a \t b\n":                              "a b",
		"model\x00":                              "model",
		"Größe":                                  "Größe",
		"a\x1b[1m":                               "null or absent",
		"a\x00b":                                 "null or absent",
		"\u009b":                                 "null or absent",
		"\xff":                                   "null or absent",
		strings.Repeat("x", limits.JSONString+1): "null or absent",
	} {
		if got := show(line(s)); got != want {
			t.Errorf("%.20q is %q, want %q", s, got, want)
		}
	}
}

func TestCPUInfo(t *testing.T) {
	tests := []struct {
		name, data string
		want       map[string]string
	}{
		{"x86", fakeCPU, map[string]string{"cpus": "1", "cpu_vendor": "GenuineIntel", "cpu_flags": "avx fpu sse2", "cpu_number": "85"}},
		{"arm64, two kinds of core", "processor\t: 0\nBogoMIPS\t: 48.00\nFeatures\t: fp asimd crc32\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: 0xd05\nCPU revision\t: 0\n\n" +
			"processor\t: 1\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0b\nCPU revision\t: 0\n",
			map[string]string{"cpus": "2", "cpu_vendor": "0x41", "cpu_model": "0xd05, 0xd0b", "cpu_flags": "asimd fp", "cpu_variant": "0x1, 0x3", "cpu_family": "8"}},
		{"ppc64le", "processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 2300.000000MHz\nrevision\t: 2.2 (pvr 004e 1202)\n",
			map[string]string{"cpus": "1", "cpu_model": "POWER9, altivec supported", "cpu_stepping": "2.2 (pvr 004e 1202)"}},
		{"s390x", "vendor_id       : IBM/S390\n# processors    : 2\nfeatures\t: esan3 zarch\nprocessor 0: version = FF,  identification = 123456,  machine = 3931\n" +
			"processor 1: version = FF,  identification = 223456,  machine = 3931\n\ncpu number      : 0\nidentification  : 123456\nmachine         : 3931\n",
			map[string]string{"cpus": "2", "cpu_vendor": "IBM/S390", "cpu_model": "3931", "cpu_flags": "esan3 zarch"}},
		{"riscv64", "processor\t: 0\nhart\t\t: 1\nisa\t\t: rv64imafdc\nuarch\t\t: sifive,u74-mc\nmvendorid\t: 0x489\n",
			map[string]string{"cpus": "1", "cpu_model": "sifive,u74-mc", "cpu_flags": "rv64imafdc", "cpu_vendor": "0x489"}},
		{"nothing", "", map[string]string{"cpus": "null or absent", "cpu_model": "null or absent"}},
		{"noise", ":\n: :\nprocessor\n\x00\xff", map[string]string{"cpus": "null or absent"}},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		tree{"/proc/cpuinfo": tt.data}.write(t, dir)
		c := (&machine{root: root(dir), linux: true}).hw()
		for fact, want := range tt.want {
			if got := show(c[fact]); got != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, fact, got, want)
			}
		}
		for fact, v := range c {
			if v != nil && (strings.Contains(*v, "2300.0") || strings.Contains(*v, "23456")) {
				t.Errorf("%s: %s tells a frequency or a serial number: %s", tt.name, fact, *v)
			}
		}
	}
}

func TestLibc(t *testing.T) {
	musl := "\x7fELF\x00127.0.0.1\x00musl libc (x86_64)\nVersion %s\n\x001.2.3\x00x"
	old := "\x7fELF GNU C Library (GNU libc) stable release version 2.17, by Roland McGrath et al.\n"
	tests := []struct {
		name string
		tree tree
		want map[string]string // "-": absent
	}{
		{"static", tree{}, map[string]string{"name": "-", "loader": "-"}},
		{"musl", tree{"/lib/ld-musl-x86_64.so.1": musl}, map[string]string{"name": "musl", "version": "1.2.3", "loader": "ld-musl-x86_64.so.1", "build": "-"}},
		{"musl of a snapshot", tree{"/lib/ld-musl-x86_64.so.1": strings.Replace(musl, "1.2.3", "1.2.5-git-20240512", 1)}, map[string]string{"version": "1.2.5-git-20240512"}},
		{"musl with two candidates", tree{"/lib/ld-musl-x86_64.so.1": musl + "\x001.2.4\x00"}, map[string]string{"name": "musl", "version": "null or absent"}},
		{"not musl at all", tree{"/lib/ld-musl-x86_64.so.1": "\x001.2.3\x00"}, map[string]string{"version": "null or absent"}},
		{"old glibc", tree{"/lib64/ld-linux-x86-64.so.2": "loader", "/lib64/libc.so.6": old}, map[string]string{"name": "glibc", "version": "2.17", "build": "GNU libc"}},
		{"glibc's loader alone", tree{"/lib/ld-linux-aarch64.so.1": "ld.so (Ubuntu GLIBC 2.39-0ubuntu8) stable release version 2.39.\n"},
			map[string]string{"name": "glibc", "version": "2.39", "digest": "null or absent"}},
		{"unknown", tree{"/lib64/ld-linux-x86-64.so.2": "loader", "/lib64/libc.so.6": "?"}, map[string]string{"name": "null or absent", "version": "null or absent"}},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		tt.tree.write(t, dir)
		c := (&machine{root: root(dir), linux: true}).libc()
		for fact, want := range tt.want {
			v, ok := c[fact]
			if got := show(v); ok == (want == "-") || want != "-" && got != want {
				t.Errorf("%s: %s is %q (there: %v), want %q", tt.name, fact, got, ok, want)
			}
		}
	}
}

// The loader is the one that /bin/sh asks for, where /bin/sh can be asked.
func TestInterpreter(t *testing.T) {
	for _, file := range []string{filepath.Join(t.TempDir(), "none"), "facts_test.go", "/dev/null"} {
		if got := new(machine).interpreter(file); got != "" {
			t.Errorf("%s asks for %q", file, got)
		}
	}
	m := &machine{linux: true}
	if p := new(machine).interpreter("/bin/sh"); p != "" && m.loader() != p {
		t.Errorf("loader is %q, want %q", m.loader(), p)
	}
}
