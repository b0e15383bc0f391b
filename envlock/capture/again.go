package capture

import (
	"maps"
	"slices"
	"strings"

	"github.com/relseal/relseal/envlock"
)

// Again returns the request that would make l, were nothing changed: the tools,
// lock files and variables that it names, and whether it has packages. Tools are
// run to ask their version: of an EnvLock that a stranger wrote, the stranger
// chooses which of the programs on PATH those are.
func Again(l envlock.Lock) Request {
	r := Request{
		Tools:    slices.Concat(toolsOf(l.Env.Compilers), toolsOf(l.Env.Runtimes)),
		Env:      slices.Sorted(maps.Keys(l.Variables)),
		Packages: false,
	}
	for _, lock := range l.Locks {
		r.Locks = append(r.Locks, lock.Path)
	}
	_, r.Packages = l.Env.OS[packagesFact]
	if family := l.Env.Options[rngFact]; family != nil {
		r.RNGFamily = *family
	}
	return r
}

// toolsOf returns the tools that facts are about: each has a file, a version and
// a digest.
func toolsOf(c envlock.Component) (tools []string) {
	for fact := range c {
		name, ok := strings.CutSuffix(fact, ".file")
		if !ok || strings.Contains(name, "/") { // TOOL.mod/PATH
			continue
		}
		_, hasVersion := c[name+".version"]
		_, hasDigest := c[name+".digest"]
		if hasVersion && hasDigest {
			tools = append(tools, name)
		}
	}
	slices.Sort(tools)
	return tools
}

// The names of facts that say how the others were captured.
const (
	rngFact      = "rng_family"
	packagesFact = "packages"
	revisionFact = "capture"
)

// revision is that of the list of facts in this package. Where two EnvLocks differ
// in it, a fact that only one of them has may be one that the other relseal did not
// look for. It goes up when a fact is added or read from another place.
const revision = "1"
