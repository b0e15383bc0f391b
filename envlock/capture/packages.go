package capture

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/relseal/relseal/envlock"
)

// The package managers that a [Package] can be of.
const (
	Dpkg = "dpkg"
	Apk  = "apk"
	RPM  = "rpm"
	Go   = "go" // a module that is linked into a declared tool
)

// A Package is one that is installed on the system, or a module in a tool.
type Package struct {
	Manager string
	Name    string
	Version string // with the epoch: 1:2.3-4
	Arch    string // as the manager names it; "" for a module
	Source  string // what it was built from, as the manager names it; "" if that is not told
	State   string // "" is installed; half-configured, unpacked, … if dpkg was interrupted
	Tool    string // the tool that a module is in
}

// Packages returns what Capture records when r.Packages is set, with more detail:
// the packages of the system by manager and name, then the modules in r.Tools.
func Packages(ctx context.Context, r Request) ([]Package, error) {
	m, err := newMachine(r)
	if err != nil {
		return nil, err
	}
	defer m.project.Close()
	var problems Problems
	tools := m.findTools(r.Tools, &problems)
	if len(problems) > 0 {
		return nil, problems.err()
	}
	packages, _, err := m.packages(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tools {
		packages = append(packages, m.modules(t)...)
	}
	if err := ctx.Err(); err != nil {
		return packages, err
	}
	return packages, m.failed
}

// packageManagers are asked in this order. list returns fs.ErrNotExist where the
// manager has no database; own is the package that the manager itself is in, whose
// architecture is the system's.
var packageManagers = []struct {
	name, own string
	list      func(*machine, context.Context) ([]Package, error)
}{
	{Apk, "apk-tools", (*machine).apk},
	{Dpkg, "dpkg", (*machine).dpkg},
	{RPM, "rpm", (*machine).rpm},
}

// packages returns the packages of the system and the managers that have any.
func (m *machine) packages(ctx context.Context) (all []Package, managers []string, err error) {
	if !m.linux {
		return nil, nil, nil
	}
	for _, manager := range packageManagers {
		list, err := manager.list(m, ctx)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case m.note(err) != nil:
			return nil, nil, err
		}
		slices.SortFunc(list, func(a, b Package) int {
			return slices.Compare([]string{a.Name, a.Arch, a.Version}, []string{b.Name, b.Arch, b.Version})
		})
		all = append(all, list...)
		managers = append(managers, manager.name)
	}
	return all, managers, nil
}

// putPackages adds the packages to the component of the operating system, whose
// parts they are: dpkg/libc6 → 2.36-9+deb12u7. The fact packages names the managers;
// it also tells an EnvLock without any package from one that was not asked to list
// them.
func (m *machine) putPackages(ctx context.Context, c envlock.Component) {
	all, managers, err := m.packages(ctx)
	switch {
	case err != nil:
		c[packagesFact] = nil
		return
	case len(managers) == 0:
		c[packagesFact] = text("none")
	default:
		c[packagesFact] = text(strings.Join(managers, " "))
	}
	maps.Copy(c, facts(all))
}

// facts returns a fact for each package. The name has the architecture where that
// is not the system's own.
func facts(all []Package) envlock.Component {
	c := envlock.Component{}
	native := map[string]string{}
	for _, manager := range packageManagers {
		native[manager.name] = architecture(all, manager.name, manager.own)
	}
	versions := map[string][]string{}
	for _, p := range all {
		name := p.Manager + "/" + asciiName(p.Name)
		if p.Arch != native[p.Manager] && !slices.Contains(anyArch, p.Arch) {
			name += ":" + asciiName(p.Arch)
		}
		version := p.Version
		if p.State != "" {
			version += " (" + p.State + ")"
		}
		versions[name] = append(versions[name], version) // rpm keeps several kernels
	}
	for name, list := range versions {
		c[name] = line(strings.Join(sorted(list), ", "))
	}
	return c
}

// packageFact reports whether a fact of the operating system is a package.
func packageFact(fact string) bool {
	manager, _, ok := strings.Cut(fact, "/")
	return ok && (manager == Dpkg || manager == Apk || manager == RPM)
}

// anyArch are the names of packages for every architecture.
var anyArch = []string{"all", "noarch", "any", ""}

// architecture returns the one that packages have unless they say otherwise:
// that of the manager itself, or without that the only one that there is.
func architecture(all []Package, manager, own string) string {
	var found []string
	for _, p := range all {
		if p.Manager != manager || slices.Contains(anyArch, p.Arch) {
			continue
		}
		if p.Name == own {
			return p.Arch
		}
		found = append(found, p.Arch)
	}
	if found = sorted(found); len(found) == 1 {
		return found[0]
	}
	return ""
}

// asciiName returns s with what may not stand in the name of a fact escaped.
func asciiName(s string) string {
	quoted := strconv.QuoteToASCII(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
