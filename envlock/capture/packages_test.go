//go:build unix

package capture

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/limits"
)

const dpkgStatus = `Package: dpkg
Status: install ok installed
Architecture: amd64
Version: 1.21.22
Description: Debian package management system
 Version: 9.9 stands in a description
 .
 more

Package: libc6
Status: hold ok installed
Multi-Arch: same
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u7

Package: libc6
Status: install ok installed
Architecture: i386
Source: glibc (2.36-9)
Version: 2.36-9

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: interrupted
Status: install ok half-configured
Architecture: all
Version: 1:2
`

const apkInstalled = "P:musl\nV:1.2.5-r0\nA:x86_64\no:musl\nT:the musl c library\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\nZ:Q1\n\nP:so:libz\nV:1.3-r1\nA:x86_64\no:zlib\n\n"

const rpmScript = "#!/bin/sh\n" + `[ "$1 $2" = "-qa --queryformat" ] || exit 1
printf 'rpm\t4.19-1\tx86_64\trpm-4.19-1.src.rpm\n'
printf 'kernel\t6.8.1-1\tx86_64\tkernel-6.8.1-1.src.rpm\n'
printf 'kernel\t6.8.0-1\tx86_64\tkernel-6.8.0-1.src.rpm\n'
printf 'tzdata\t2024a-1\tnoarch\ttzdata-2024a-1.src.rpm\n'
printf 'openssl-libs\t1:3.2-1\ti686\topenssl-3.2-1.src.rpm\n'
printf 'gpg-pubkey\ta1b2-c3d4\t(none)\t(none)\n'
`

// packageFacts are what a fake machine has besides an empty one.
func packageFacts(t *testing.T, machine tree) map[string]string {
	t.Helper()
	l, err := capture(t, fakeMachine.with(machine), fakeProject, fakeEnv, func(r *Request) { r.Packages = true })
	if err != nil {
		t.Fatal(err)
	}
	facts := map[string]string{}
	for fact, v := range l.Env.OS {
		if fact == packagesFact || packageFact(fact) {
			facts[fact] = show(v)
		}
	}
	return facts
}

func TestPackageFacts(t *testing.T) {
	tests := []struct {
		name    string
		machine tree
		want    map[string]string
	}{
		{"none", nil, map[string]string{"packages": "none"}},
		{"dpkg", tree{"/var/lib/dpkg/status": dpkgStatus}, map[string]string{"packages": "dpkg", "dpkg/dpkg": "1.21.22",
			"dpkg/libc6": "2.36-9+deb12u7", "dpkg/libc6:i386": "2.36-9", "dpkg/interrupted": "1:2 (half-configured)"}},
		{"dpkg without a package", tree{"/var/lib/dpkg/status": ""}, map[string]string{"packages": "dpkg"}},
		{"distroless", tree{"/var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12\nArchitecture: arm64\n", "/var/lib/dpkg/status.d/base.md5sums": "Package: x\n"},
			map[string]string{"packages": "dpkg", "dpkg/base-files": "12"}},
		{"apk", tree{"/lib/apk/db/installed": apkInstalled}, map[string]string{"packages": "apk", "apk/musl": "1.2.5-r0", "apk/so:libz": "1.3-r1"}},
		{"apk of a merged /usr", tree{"/usr/lib/apk/db/installed": apkInstalled}, map[string]string{"packages": "apk", "apk/musl": "1.2.5-r0", "apk/so:libz": "1.3-r1"}},
		{"rpm", tree{"/var/lib/rpm/rpmdb.sqlite": "", "/usr/bin/rpm": rpmScript}, map[string]string{"packages": "rpm", "rpm/rpm": "4.19-1",
			"rpm/kernel": "6.8.0-1, 6.8.1-1", "rpm/tzdata": "2024a-1", "rpm/openssl-libs:i686": "1:3.2-1"}},
		{"rpm without a database", tree{"/usr/bin/rpm": rpmScript}, map[string]string{"packages": "none"}},
		{"a database without rpm", tree{"/var/lib/rpm/Packages": ""}, map[string]string{"packages": "null or absent"}},
		{"rpm that fails", tree{"/var/lib/rpm/Packages": "", "/usr/bin/rpm": rpmScript + "exit 1\n"}, map[string]string{"packages": "null or absent"}},
		{"rpm without its interpreter", tree{"/var/lib/rpm/Packages": "", "/usr/bin/rpm": "#!/no/such/shell\n"}, map[string]string{"packages": "null or absent"}},
		{"rpm in another form", tree{"/var/lib/rpm/Packages": "", "/usr/bin/rpm": "#!/bin/sh\necho bash-5.2\n"}, map[string]string{"packages": "null or absent"}},
		{"two managers", tree{"/var/lib/dpkg/status": dpkgStatus[:strings.Index(dpkgStatus, "\n\n")], "/var/lib/rpm/Packages": "", "/usr/bin/rpm": rpmScript},
			map[string]string{"packages": "dpkg rpm", "dpkg/dpkg": "1.21.22", "rpm/rpm": "4.19-1",
				"rpm/kernel": "6.8.0-1, 6.8.1-1", "rpm/tzdata": "2024a-1", "rpm/openssl-libs:i686": "1:3.2-1"}},
		{"two architectures and none of dpkg's own", tree{"/var/lib/dpkg/status": strings.Replace(dpkgStatus, "Package: dpkg", "Package: dpkg-dev", 1)},
			map[string]string{"packages": "dpkg", "dpkg/dpkg-dev:amd64": "1.21.22", "dpkg/libc6:amd64": "2.36-9+deb12u7", "dpkg/libc6:i386": "2.36-9",
				"dpkg/interrupted": "1:2 (half-configured)"}},
		{"names in another script", tree{"/lib/apk/db/installed": "P:größe\nV:ä\n"}, map[string]string{"packages": "apk", `apk/gr\u00f6\u00dfe`: "ä"}},
		{"a line without end", tree{"/var/lib/dpkg/status": "Package: " + strings.Repeat("x", 5<<20)}, map[string]string{"packages": "null or absent"}},
		{"a directory", tree{"/var/lib/dpkg/status/x": ""}, map[string]string{"packages": "null or absent"}},
	}
	for _, tt := range tests {
		if got := packageFacts(t, tt.machine); !maps.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A package comes, changes or goes, and nothing else is named.
func TestPackagesNameDrift(t *testing.T) {
	take := func(machine tree) envlock.Lock {
		l, err := capture(t, fakeMachine.with(machine), fakeProject, fakeEnv, func(r *Request) { r.Packages = true })
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	base := take(tree{"/var/lib/dpkg/status": dpkgStatus})
	for _, tt := range []struct{ old, new, want string }{
		{"more", "less", ""},
		{"Version: 1\n", "Version: 2\n", ""}, // of one that is removed
		{"deb12u7", "deb12u8", "os dpkg/libc6: \"2.36-9+deb12u7\" -> \"2.36-9+deb12u8\""},
		{"Architecture: i386", "Architecture: armhf", "os dpkg/libc6:armhf: added \"2.36-9\", os dpkg/libc6:i386: removed \"2.36-9\""},
		{"half-configured", "installed", "os dpkg/interrupted: \"1:2 (half-configured)\" -> \"1:2\""},
		{"deinstall ok config-files", "install ok installed", "os dpkg/removed: added \"1\""},
	} {
		if !strings.Contains(dpkgStatus, tt.old) {
			t.Fatalf("%q is not in the database", tt.old)
		}
		var got []string
		for _, d := range envlock.Diff(base, take(tree{"/var/lib/dpkg/status": strings.Replace(dpkgStatus, tt.old, tt.new, 1)})) {
			got = append(got, d.String())
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%q -> %q: %s, want %s", tt.old, tt.new, s, tt.want)
		}
	}
}

// Whatever is in a database, what is recorded of it is an EnvLock.
func FuzzPackages(f *testing.F) {
	f.Add([]byte(dpkgStatus))
	f.Add([]byte(apkInstalled))
	f.Add([]byte("rpm\t4.19-1\tx86_64\t(none)\n"))
	f.Add([]byte("Package: \xff\"\\\nVersion: \x00\n\nP:a\nV:\x1b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > limits.JSONString/10 { // a name is escaped with up to ten bytes for one
			return
		}
		dpkg, _ := parseDpkg(bytes.NewReader(data))
		apk, _ := parseApk(bytes.NewReader(data))
		rpm, _ := parseRPM(data)
		for _, list := range [][]Package{dpkg, apk, rpm} {
			l := envlock.Lock{Schema: envlock.Schema, Env: envlock.Components{OS: facts(list)}}
			doc, err := l.Marshal()
			if err != nil {
				t.Fatalf("%v of %q", err, list)
			}
			if _, err := envlock.Parse(doc); err != nil {
				t.Fatal(err)
			}
			if len(list) > 0 && len(l.Env.OS) == 0 {
				t.Errorf("%q gives no fact", list)
			}
		}
	})
}

func TestPackages(t *testing.T) {
	r := request(t, fakeMachine.with(tree{"/var/lib/dpkg/status": dpkgStatus, "/lib/apk/db/installed": apkInstalled}), fakeProject, fakeEnv)
	got, err := Packages(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	want := []Package{
		{Manager: Apk, Name: "musl", Version: "1.2.5-r0", Arch: "x86_64", Source: "musl"},
		{Manager: Apk, Name: "so:libz", Version: "1.3-r1", Arch: "x86_64", Source: "zlib"},
		{Manager: Dpkg, Name: "dpkg", Version: "1.21.22", Arch: "amd64"},
		{Manager: Dpkg, Name: "interrupted", Version: "1:2", Arch: "all", State: "half-configured"},
		{Manager: Dpkg, Name: "libc6", Version: "2.36-9+deb12u7", Arch: "amd64", Source: "glibc"},
		{Manager: Dpkg, Name: "libc6", Version: "2.36-9", Arch: "i386", Source: "glibc@2.36-9"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d packages %v, want %d", len(got), got, len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("package %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	r.Tools = append(r.Tools, "cmake")
	var problems Problems
	if _, err := Packages(t.Context(), r); !errors.As(err, &problems) {
		t.Errorf("a tool that is not there: %v", err)
	}
}

// buildTool builds a program of two modules, one of which another stands in for.
func buildTool(t *testing.T, file string) {
	t.Helper()
	dir := t.TempDir()
	tree{
		"/go.mod":  "module tool.test/x\n\ngo 1.26\n\nrequire (\n\tdep.test/a v1.2.0\n\tdep.test/old v0.1.0\n)\n\nreplace dep.test/old => dep.test/new v2.0.0+incompatible\n",
		"/main.go": "package main\n\nimport (\n\t_ \"dep.test/a\"\n\t_ \"dep.test/old\"\n)\n\nfunc main() { println(\"x 1\") }\n",
		"/vendor/modules.txt": "# dep.test/a v1.2.0\n## explicit\ndep.test/a\n# dep.test/old v0.1.0 => dep.test/new v2.0.0+incompatible\n" +
			"## explicit\ndep.test/old\n# dep.test/old => dep.test/new v2.0.0+incompatible\n",
		"/vendor/dep.test/a/a.go":   "package a\n",
		"/vendor/dep.test/old/o.go": "package old\n",
	}.write(t, dir)
	cmd := exec.Command("go", "build", "-mod=vendor", "-buildvcs=false", "-o", file, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GO111MODULE=on", "GOOS=", "GOARCH=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}

func TestGoBuild(t *testing.T) {
	r := request(t, fakeMachine, fakeProject, fakeEnv)
	buildTool(t, filepath.Join(r.Root, "bin", "x"))
	r.Tools = append(r.Tools, "x")
	for _, withPackages := range []bool{false, true} {
		r.Packages = withPackages
		l, err := Capture(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		c := l.Env.Compilers
		if v := show(c["x.build.go"]); !strings.HasPrefix(v, "go1.") {
			t.Errorf("x.build.go is %s", v)
		}
		want := map[string]string{"x.build.path": "tool.test/x", "x.build.module": "tool.test/x", "x.build.version": "(devel)"}
		if withPackages {
			want["x.mod/dep.test/a"] = "v1.2.0"
			want["x.mod/dep.test/old"] = "v0.1.0 => dep.test/new v2.0.0+incompatible"
		}
		for fact, want := range want {
			if got := show(c[fact]); got != want {
				t.Errorf("%s is %q, want %q", fact, got, want)
			}
		}
		if _, ok := c["x.mod/dep.test/a"]; ok != withPackages {
			t.Errorf("modules recorded: %v, want %v", ok, withPackages)
		}
		if _, ok := c["cc.build.go"]; ok {
			t.Error("a shell script was built by Go")
		}
	}
	packages, err := Packages(t.Context(), r)
	want := []Package{{Manager: Go, Name: "dep.test/a", Version: "v1.2.0", Tool: "x"}, {Manager: Go, Name: "dep.test/new", Version: "v2.0.0+incompatible", Tool: "x"}}
	if err != nil || len(packages) != 2 || packages[0] != want[0] || packages[1] != want[1] {
		t.Errorf("modules %+v, %v, want %+v", packages, err, want)
	}
}
