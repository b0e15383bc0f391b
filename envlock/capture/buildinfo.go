package capture

import (
	"debug/buildinfo"
	"runtime/debug"

	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/internal/regular"
)

// goBuild adds what the Go toolchain wrote into a tool that it built, as
// TOOL.build.NAME. The digest already tells two tools apart; these say what the
// difference is. With packages its modules follow as TOOL.mod/PATH.
func (m *machine) goBuild(t tool, c envlock.Component) {
	info, err := m.readBuild(t.real)
	if err != nil {
		return // not made by Go, or stripped of it
	}
	c[t.name+".build.go"] = line(info.GoVersion)
	c[t.name+".build.path"] = line(info.Path)
	if info.Main.Path != "" {
		c[t.name+".build.module"] = line(info.Main.Path)
		c[t.name+".build.version"] = line(info.Main.Version)
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			c[t.name+".build.revision"] = line(s.Value)
		case "vcs.modified":
			c[t.name+".build.modified"] = line(s.Value)
		}
	}
	if !m.withPackages {
		return
	}
	for _, d := range info.Deps {
		v := d.Version
		if d.Replace != nil {
			v += " => " + d.Replace.Path + " " + d.Replace.Version
		}
		c[t.name+".mod/"+asciiName(d.Path)] = line(v)
	}
}

func (m *machine) readBuild(file string) (*debug.BuildInfo, error) {
	f, err := regular.Open(file)
	if m.note(err) != nil {
		return nil, err
	}
	defer f.Close()
	info, err := buildinfo.Read(f)
	if regular.Failed(err) {
		m.note(err)
	}
	return info, err
}

// modules returns the modules that are linked into a tool, none if Go did not
// make it.
func (m *machine) modules(t tool) (list []Package) {
	info, err := m.readBuild(t.real)
	if err != nil {
		return nil
	}
	for _, d := range info.Deps {
		list = append(list, module(t, d))
	}
	return list
}

// module is the one whose code is in the tool: a replacement, if it has a version
// and is not a directory of whoever built it.
func module(t tool, d *debug.Module) Package {
	if d.Replace != nil && d.Replace.Version != "" {
		d = d.Replace
	}
	return Package{Manager: Go, Name: d.Path, Version: d.Version, Tool: t.name}
}
