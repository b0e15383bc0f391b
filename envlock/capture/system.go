package capture

import (
	"runtime"
	"strings"

	"github.com/relseal/relseal/envlock"
)

// os returns the distribution as os-release(5) names it.
func (m *machine) os() envlock.Component {
	c := envlock.Component{"system": text(runtime.GOOS), "architecture": text(runtime.GOARCH)}
	if !m.linux {
		nativeOS(c)
		return c
	}
	var release map[string]string
	known := m.known(func() { release = m.osRelease() })
	if release == nil || !known {
		c["id"], c["version_id"], c["pretty_name"] = nil, nil, nil
	}
	if !known {
		c["variant_id"], c["build_id"] = nil, nil
		return c
	}
	for _, fact := range []string{"id", "version_id", "pretty_name", "variant_id", "build_id"} {
		if v, ok := release[strings.ToUpper(fact)]; ok {
			c[fact] = line(v)
		}
	}
	return c
}

// osRelease reads the first of the two places that os-release(5) names.
func (m *machine) osRelease() map[string]string {
	for _, name := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if data, err := m.read(name); err == nil {
			return parseOSRelease(string(data))
		}
	}
	return nil
}

// parseOSRelease reads assignments as a shell would, the last one winning.
func parseOSRelease(data string) map[string]string {
	values := map[string]string{}
	for l := range strings.Lines(data) {
		l = strings.TrimSpace(l)
		name, value, ok := strings.Cut(l, "=")
		if !ok || strings.HasPrefix(l, "#") {
			continue
		}
		values[name] = unquote(value)
	}
	return values
}

// unquote takes shell quotes from a value; os-release(5) allows no concatenation.
func unquote(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '"' && s[0] != '\'' {
		return s
	}
	inner := s[1 : len(s)-1]
	if s[0] == '\'' {
		return inner
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, "\\`", "`").Replace(inner)
}

// kernel returns what uname(1) would: from /proc where it is there, since a
// personality such as linux32 changes what the system call answers.
func (m *machine) kernel() envlock.Component {
	c := envlock.Component{"name": nil, "release": nil, "version": nil, "machine": nil}
	if m.root == "" {
		uname(c)
	}
	if !m.linux {
		return c
	}
	for fact, file := range map[string]string{"name": "ostype", "release": "osrelease", "version": "version", "machine": "arch"} {
		if data, err := m.read("/proc/sys/kernel/" + file); err == nil { // arch: since Linux 6.1
			c[fact] = line(string(data))
		}
	}
	return c
}
