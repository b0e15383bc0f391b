package capture

import (
	"bytes"
	"debug/elf"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/lazyregexp"
	"github.com/relseal/relseal/internal/regular"
)

// libc returns the C library that dynamically linked programs get. It is found
// by the loader that /bin/sh asks for: Debian can have musl beside glibc, Alpine
// a glibc loader beside musl. The version is read from the file, not asked from
// a program. A system without a loader has no C library to record.
func (m *machine) libc() envlock.Component {
	c := envlock.Component{}
	if !m.linux {
		return c
	}
	loader := ""
	switch known := m.known(func() { loader = m.loader() }); {
	case !known:
		for _, fact := range []string{"name", "version", "build", "digest", "loader", "loader_digest"} {
			c[fact] = nil
		}
		return c
	case loader == "":
		return c
	}
	c["loader"] = line(path.Base(loader))
	c["loader_digest"] = m.digest(m.root.path(loader))

	file := m.root.path(loader)
	if real, err := filepath.EvalSymlinks(file); m.note(err) == nil {
		file = real
	}
	if !isMusl(loader) { // its loader is the library; glibc has it in the same directory
		file = filepath.Join(filepath.Dir(file), "libc.so.6")
	}
	c["digest"] = m.digest(file)
	data, err := m.view(file)
	if err != nil {
		c["build"] = nil
		data, _ = m.read(loader) // glibc's loader has the same banner since 2.33
	}
	switch {
	case isMusl(loader):
		c["name"] = text("musl")
		c["version"] = muslVersion(data)
	default:
		c["name"], c["version"] = nil, nil
		if banner := glibcBanner.FindSubmatch(data); banner != nil {
			c["name"] = text("glibc")
			c["build"] = line(string(banner[1]))
			c["version"] = line(string(banner[2]))
		}
	}
	return c
}

func isMusl(loader string) bool { return strings.HasPrefix(path.Base(loader), "ld-musl-") }

// loader returns the path of the dynamic loader, "" if there is none.
func (m *machine) loader() string {
	if p := m.interpreter(m.root.path("/bin/sh")); p != "" && m.exists(p) {
		return p
	}
	for _, pattern := range []string{"ld-linux*.so.*", "ld64.so.*", "ld-musl-*.so.1"} {
		for _, dir := range []string{"/lib64", "/lib"} {
			for _, name := range m.names(dir) {
				if ok, _ := path.Match(pattern, name); ok && m.exists(path.Join(dir, name)) {
					return path.Join(dir, name)
				}
			}
		}
	}
	return ""
}

// interpreter returns the loader that an ELF program asks for, "" if it is
// static or no ELF file.
func (m *machine) interpreter(file string) string {
	r, err := regular.Open(file)
	if m.note(err) != nil {
		return ""
	}
	defer r.Close()
	f, err := elf.NewFile(r)
	if err != nil {
		if regular.Failed(err) {
			m.note(err)
		}
		return ""
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP || p.Filesz > 4096 {
			continue
		}
		data, err := io.ReadAll(p.Open())
		name := string(bytes.TrimRight(data, "\x00"))
		if err != nil || !path.IsAbs(name) {
			if regular.Failed(err) {
				m.note(err)
			}
			return ""
		}
		return name
	}
	return ""
}

// glibcBanner matches what libc.so.6 prints when it is run:
// "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36."
var glibcBanner = lazyregexp.New(`\(([^()\n]{1,200})\) (?:stable|development) release version ([0-9]+(?:\.[0-9]+)+)`)

var muslRelease = lazyregexp.New(`^[0-9]+\.[0-9]+\.[0-9]+(?:[-_+][0-9A-Za-z._+-]{1,60})?$`)

// muslVersion returns the one string of the file that is a version. musl keeps
// it in a constant of its own, which has no name once the file is stripped.
func muslVersion(data []byte) *string {
	var version *string
	if !bytes.Contains(data, []byte("musl libc (")) {
		return nil
	}
	for s := range bytes.SplitSeq(data, []byte{0}) {
		if !muslRelease.Match(s) {
			continue
		}
		if version != nil && *version != string(s) {
			return nil
		}
		version = text(string(s))
	}
	return version
}
