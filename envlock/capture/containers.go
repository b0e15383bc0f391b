package capture

import (
	"strings"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/lazyregexp"
)

// containers says which kind of container this is, if one can be told, and of
// which image. Ids and names of the container stay out.
func (m *machine) containers() envlock.Component {
	c := envlock.Component{}
	if !m.linux {
		return c
	}
	for fact, f := range map[string]func() string{"cgroup": m.cgroup, "kind": m.containerKind} {
		v := ""
		switch known := m.known(func() { v = f() }); {
		case !known:
			c[fact] = nil
		case v != "":
			c[fact] = line(v)
		}
	}
	m.limits(c)
	if data, err := m.read("/run/.containerenv"); err != nil && !isAbsent(err) {
		c["engine"], c["image"], c["image_id"] = nil, nil, nil
	} else if err == nil {
		env := parseOSRelease(string(data)) // podman writes the same form
		for fact, name := range map[string]string{"engine": "engine", "image": "image", "image_id": "imageid"} {
			if v, ok := env[name]; ok {
				c[fact] = line(v)
			}
		}
	}
	return c
}

// cgroup returns the version of the hierarchy: "1" (hybrid included), "2" or "".
func (m *machine) cgroup() string {
	const dir = cgroupDir
	if m.exists(dir + "/cgroup.controllers") {
		return "2"
	}
	for _, name := range []string{"memory", "cpu", "systemd", "unified"} {
		if m.exists(dir + "/" + name) {
			return "1"
		}
	}
	return ""
}

var containerManager = lazyregexp.New(`^[a-z0-9][a-z0-9-]{0,31}$`)

// containerKind looks for the outermost manager first: Kubernetes runs its
// containers through others, which leave their own marks.
func (m *machine) containerKind() string {
	if _, ok := m.lookup("KUBERNETES_SERVICE_HOST"); ok {
		return "kubernetes"
	}
	for _, mark := range []struct{ file, kind string }{
		{"/var/run/secrets/kubernetes.io", "kubernetes"},
		{"/run/.containerenv", "podman"},
		{"/.dockerenv", "docker"},
		{"/.singularity.d", "apptainer"},
		{"/dev/lxd", "lxc"},
	} {
		if m.exists(mark.file) {
			return mark.kind
		}
	}
	// https://systemd.io/CONTAINER_INTERFACE: lxc, systemd-nspawn, …
	data, err := m.read("/run/systemd/container")
	if name := strings.TrimSpace(string(data)); err == nil && containerManager.MatchString(name) {
		return name
	}
	return ""
}
