package sbom

import (
	"cmp"
	"strings"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/envlock/capture"
)

// A distribution is whose packages those of the system are.
type distribution struct{ id, version string }

// component is the operating system, by the name of the distribution or, for lack
// of one, of its kind. Scanners look here for whose advisories count.
func (d distribution) component(l envlock.Lock) component {
	name := cmp.Or(d.id, value(l.Env.OS, "system"), "unknown")
	return component{BOMRef: "os", Type: "operating-system", Name: name, Version: d.version}
}

// packages returns the packages of the system, modules in tools left out.
func (d distribution) packages(packages []capture.Package) (list []component) {
	seen := map[string]bool{}
	for _, p := range packages {
		purl := d.purl(p)
		if purl == "" || seen[purl] { // rpm can have one entry twice; a reference must be unique
			continue
		}
		seen[purl] = true
		list = append(list, component{
			BOMRef: purl, Type: "library", Name: p.Name, Version: p.Version, PackageURL: purl,
		})
	}
	return list
}

// purl returns the package URL of a package of the system, "" of a module.
func (d distribution) purl(p capture.Package) string {
	namespace := strings.ToLower(d.id)
	name, version, epoch := strings.ToLower(p.Name), p.Version, ""
	var kind, standard string
	switch p.Manager {
	case capture.Dpkg:
		kind, standard = "deb", "debian"
	case capture.Apk:
		kind, standard = "apk", "alpine"
	case capture.RPM:
		kind, name = "rpm", p.Name
		if before, after, ok := strings.Cut(version, ":"); ok {
			epoch, version = before, after
		}
		namespace = rpmVendor(namespace)
	default:
		return ""
	}
	if namespace == "" {
		namespace = standard
	}
	u := "pkg:" + kind + "/"
	if namespace != "" {
		u += escape(namespace) + "/"
	}
	u += escape(name)
	if version != "" {
		u += "@" + escape(version)
	}
	separator := "?"
	for _, q := range [][2]string{{"arch", p.Arch}, {"distro", d.distro()}, {"epoch", epoch}, {"upstream", upstream(p)}} {
		if q[1] != "" {
			u += separator + q[0] + "=" + escape(q[1])
			separator = "&"
		}
	}
	return u
}

// distro is the release: debian-12, and alone the id of a distribution that rolls.
func (d distribution) distro() string {
	if d.version == "" {
		return d.id
	}
	return d.id + "-" + d.version
}

// rpmVendor returns the vendor that advisories name, where os-release(5) names
// the product.
func rpmVendor(id string) string {
	switch {
	case id == "rhel":
		return "redhat"
	case strings.HasPrefix(id, "opensuse"):
		return "opensuse"
	default:
		return id
	}
}

// upstream is the qualifier in which scanners look for the source package, by
// which Debian, Alpine and Red Hat publish what is vulnerable.
func upstream(p capture.Package) string {
	if p.Source == p.Name {
		return ""
	}
	return p.Source
}

// golang returns the package URL of a module.
func golang(path, version string) string {
	segments := strings.Split(strings.ToLower(path), "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	u := "pkg:golang/" + strings.Join(segments, "/")
	if version != "" {
		u += "@" + escape(version)
	}
	return u
}

// escape writes everything but letters, digits and ".-_~:" as %XX, which is what
// the specification of package URLs wants; url.PathEscape leaves more.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(".-_~:", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
