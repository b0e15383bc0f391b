//go:build unix

package capture

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/envlock"
)

// What an EnvLock says was declared is what was declared.
func TestAgain(t *testing.T) {
	for _, withPackages := range []bool{false, true} {
		r := request(t, fakeMachine.with(tree{"/bin/a.file": "#!/bin/sh\necho 1\n"}), fakeProject, fakeEnv)
		r.Tools = append(r.Tools, "a.file")
		r.Packages, r.RNGFamily = withPackages, "pcg32"
		l, err := Capture(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		got := Again(l)
		slices.Sort(got.Tools)
		if want := []string{"a.file", "cc", "go", "python3"}; !slices.Equal(got.Tools, want) {
			t.Errorf("tools %q, want %q", got.Tools, want)
		}
		if want := []string{"go.sum", "web/lock.json"}; !slices.Equal(got.Locks, want) {
			t.Errorf("lock files %q, want %q", got.Locks, want)
		}
		if want := []string{"CC", "CXX"}; !slices.Equal(got.Env, want) {
			t.Errorf("variables %q, want %q", got.Env, want)
		}
		if got.Packages != withPackages || got.RNGFamily != "pcg32" {
			t.Errorf("packages %v, rng_family %q", got.Packages, got.RNGFamily)
		}
	}
}

// A fact that looks like a tool's and is none names no program to run.
func TestAgainRunsToolsOnly(t *testing.T) {
	c := envlock.Component{}
	for _, fact := range []string{"rm.file", "x.file", "x.version", "y.mod/a.test/b.file", "y.mod/a.test/b.version", "y.mod/a.test/b.digest"} {
		c[fact] = text("1")
	}
	if r := Again(envlock.Lock{Env: envlock.Components{Compilers: c, OS: c}}); len(r.Tools) > 0 {
		t.Errorf("tools %q", r.Tools)
	}
}

func TestCheck(t *testing.T) {
	variable := func(name, value string) map[string]string {
		e := maps.Clone(fakeEnv)
		e[name] = value
		return e
	}
	secret := "ghp_0123456789abcdefghijABCDEFGHIJ012345"
	tests := []struct {
		name    string
		then    func(*envlock.Lock) // what the EnvLock said instead
		machine tree
		project tree
		env     map[string]string
		drift   string // component and fact, separated by commas
		unread  string
		unknown string
	}{
		{name: "nothing"},
		{name: "volatile facts", machine: tree{"/proc/uptime": "9 9\n", "/etc/hostname": "other\n"}},
		{name: "changed", machine: tree{"/proc/sys/kernel/osrelease": "6.2\n"}, drift: "kernel release"},
		{name: "came", machine: tree{"/.dockerenv": ""}, drift: "containers kind"},
		{name: "went", machine: tree{"/sys/class/dmi/id/bios_version": absent}, drift: "firmware bios_version"},
		// declared things
		{name: "tool gone", machine: tree{"/usr/bin/cc": absent}, drift: "compilers cc.digest, compilers cc.file, compilers cc.script, compilers cc.version"},
		{name: "interpreter gone", machine: tree{"/bin/python3": absent}, drift: "runtimes python3.digest, runtimes python3.file, runtimes python3.script, runtimes python3.version"},
		{name: "tool that does not answer", machine: tree{"/bin/python3": "#!/bin/sh\nexit 1\n"}, drift: "runtimes python3.digest", unread: "runtimes python3.version"},
		{name: "credential in a setting", machine: tree{"/bin/go": strings.Replace(fakeGo, `"GOFLAGS":""`, fmt.Sprintf(`"GOFLAGS":"-ldflags=%s"`, secret), 1)},
			drift: "compilers go.digest", unread: "compilers go, compilers go.GOFLAGS"},
		{name: "lock file changed", project: tree{"/go.sum": "sum v2\n"}, drift: "locks go.sum"},
		{name: "lock file gone", project: tree{"/go.sum": absent}, drift: "locks go.sum"},
		{name: "lock file that leads nowhere", project: tree{"/go.sum": "-> go.sum"}, unread: "locks go.sum"},
		{name: "lock file that is a directory", project: tree{"/go.sum": absent, "/go.sum/x": ""}, unread: "locks go.sum"},
		{name: "variable changed", env: variable("CC", "clang"), drift: "variables CC"},
		{name: "variable set", env: variable("CXX", "c++"), drift: "variables CXX"},
		{name: "variable unset", env: map[string]string{"PATH": fakeEnv["PATH"], "LANG": "C.UTF-8", "OMP_NUM_THREADS": "4"}, drift: "variables CC"},
		{name: "variable with a credential", env: variable("CC", secret), unread: "variables CC"},
		{name: "variable of two lines", env: variable("CC", "a\nb"), unread: "variables CC"},
		// what could not be read
		{name: "not readable now", machine: tree{"/proc/meminfo": absent}, unread: "hw memory"},
		{name: "not readable then", then: func(l *envlock.Lock) { l.Env.HW["memory"] = nil }, unread: "hw memory"},
		{name: "not readable then or now", then: func(l *envlock.Lock) { l.Env.HW["memory"] = nil }, machine: tree{"/proc/meminfo": absent}, unknown: "hw memory"},
		{name: "both answers", machine: tree{"/proc/meminfo": absent, "/proc/sys/kernel/osrelease": "6.2\n"}, drift: "kernel release", unread: "hw memory"},
		// packages
		{name: "packages that nobody recorded", machine: tree{"/var/lib/dpkg/status": dpkgStatus}},
		{name: "packages came", then: func(l *envlock.Lock) { l.Env.OS["packages"] = text("none") }, machine: tree{"/var/lib/apk/x": "", "/lib/apk/db/installed": apkInstalled},
			drift: "os apk/musl, os apk/so:libz, os packages"},
		{name: "packages not readable now", then: func(l *envlock.Lock) { l.Env.OS["packages"], l.Env.OS["rpm/bash"] = text("rpm"), text("5") },
			machine: tree{"/var/lib/rpm/Packages": ""}, unread: "os packages"},
		{name: "packages not readable then", then: func(l *envlock.Lock) { l.Env.OS["packages"] = nil }, machine: tree{"/lib/apk/db/installed": apkInstalled}, unread: "os packages"},
		{name: "packages not readable then or now", then: func(l *envlock.Lock) { l.Env.OS["packages"] = nil }, machine: tree{"/var/lib/rpm/Packages": ""}, unknown: "os packages"},
		// an EnvLock of another relseal
		{name: "fewer facts known", then: func(l *envlock.Lock) { l.Env.Options["capture"] = text("0"); delete(l.Env.HW, "nics") }, unread: "hw nics, options capture"},
		{name: "more facts known", then: func(l *envlock.Lock) { l.Env.Options["capture"] = text("2"); l.Env.HW["colour"] = text("red") }, unread: "hw colour, options capture"},
		{name: "not even that known", then: func(l *envlock.Lock) { delete(l.Env.Options, "capture"); delete(l.Env.HW, "nics") }, unread: "hw nics, options capture"},
		{name: "fewer facts known, and one changed", then: func(l *envlock.Lock) { l.Env.Options["capture"] = text("0"); l.Env.HW["nics"] = text("1:1") },
			drift: "hw nics", unread: "options capture"},
		{name: "fewer facts known, and a tool gone", then: func(l *envlock.Lock) { l.Env.Options["capture"] = text("0") }, machine: tree{"/bin/python3": absent},
			drift: "runtimes python3.digest, runtimes python3.file, runtimes python3.script, runtimes python3.version", unread: "options capture"},
		{name: "another generator declared", then: func(l *envlock.Lock) { l.Env.Options["rng_family"] = text("philox") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want, err := capture(t, fakeMachine, fakeProject, fakeEnv, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.then != nil {
				tt.then(&want)
			}
			if tt.env == nil {
				tt.env = fakeEnv
			}
			r := request(t, fakeMachine.with(tt.machine), fakeProject.with(tt.project), tt.env)
			t.Parallel()
			r.Tools, r.Locks, r.Env = nil, nil, nil // the EnvLock says them
			c, err := Check(t.Context(), want, r)
			if err != nil {
				t.Fatal(err)
			}
			var drift []string
			for _, d := range c.Drift {
				drift = append(drift, d.Component+" "+d.Fact)
			}
			for what, pair := range map[string][2]string{
				"drift": {strings.Join(drift, ", "), tt.drift}, "unread": {places(c.Unread), tt.unread}, "unknown": {places(c.Unknown), tt.unknown},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s %q, want %q", what, pair[0], pair[1])
				}
			}
			if same := c.Got != nil && *c.Got == c.Want; same != (tt.drift == "" && tt.unread == "") {
				t.Errorf("fingerprints the same: %v", same)
			}
			if strings.Contains(fmt.Sprintf("%+v %+v", c.Drift, c.Unread), secret) {
				t.Error("a credential is in the answer")
			}
		})
	}
}

func places(list []Unread) string {
	var s []string
	for _, u := range list {
		s = append(s, u.Component+" "+u.Fact)
		if u.Text == "" {
			s = append(s, "without a reason")
		}
	}
	slices.Sort(s)
	return strings.Join(s, ", ")
}

func TestCheckCannotRun(t *testing.T) {
	l, err := capture(t, fakeMachine, fakeProject, fakeEnv, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Check(ctx, l, request(t, fakeMachine, fakeProject, fakeEnv)); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Check(t.Context(), l, Request{Dir: t.TempDir() + "/none"}); err == nil {
		t.Error("a project that is not there was checked")
	}
	if _, err := Check(t.Context(), envlock.Lock{}, Request{}); err == nil {
		t.Error("an EnvLock without a schema was checked")
	}
}

func TestUnlistedLocks(t *testing.T) {
	dir := t.TempDir()
	tree{"/go.sum": "", "/uv.lock": "", "/package-lock.json/x": "", "/web/go.sum": "", "/README.md": "", "/yarn.lock": "-> nothing"}.write(t, dir)
	for _, tt := range []struct {
		listed []string
		want   string
	}{{nil, "go.sum uv.lock"}, {[]string{"go.sum"}, "uv.lock"}, {[]string{"uv.lock", "go.sum"}, ""}, {[]string{"web/go.sum"}, "go.sum uv.lock"}} {
		got, err := UnlistedLocks(dir, tt.listed)
		if s := strings.Join(got, " "); err != nil || s != tt.want {
			t.Errorf("with %q: %q, %v, want %q", tt.listed, s, err, tt.want)
		}
	}
	if _, err := UnlistedLocks(dir+"/none", nil); err == nil {
		t.Error("a project that is not there has no lock files")
	}
}

// A variable that was recorded though it looks like a credential is compared only
// if the caller allows it again: the EnvLock may be somebody else's.
func TestCheckAllowed(t *testing.T) {
	env := maps.Clone(fakeEnv)
	env["A_TOKEN"] = "harmless"
	r := request(t, fakeMachine, fakeProject, env)
	r.Env, r.AllowSecrets = []string{"A_TOKEN"}, []string{"A_TOKEN"}
	want, err := Capture(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := Check(t.Context(), want, r); err != nil || c.Got == nil || *c.Got != c.Want {
		t.Errorf("allowed: %+v, %v", c, err)
	}
	r.AllowSecrets = nil
	if c, err := Check(t.Context(), want, r); err != nil || c.Got != nil || places(c.Unread) != "variables A_TOKEN" {
		t.Errorf("not allowed: %+v, %v", c, err)
	}
}
