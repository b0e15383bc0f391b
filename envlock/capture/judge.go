package capture

import (
	"strings"

	"github.com/relseal/relseal/envlock"
)

// A place is a tool, lock file or variable, under the component where its facts are.
type place struct{ component, name string }

func placeOf(p *Problem) place {
	switch {
	case p.Kind == KindLock:
		return place{envlock.ComponentLocks, p.Name}
	case p.Kind == KindVariable:
		return place{envlock.ComponentVariables, p.Name}
	case isRuntime(p.Name):
		return place{"runtimes", p.Name}
	default:
		return place{"compilers", p.Name}
	}
}

type judgement int

const (
	differs judgement = iota
	unread            // nobody can say
	told              // by the problem, or by another fact
)

// A judge tells the differences that the machine makes from those that come of
// what could not be read, then or now.
type judge struct {
	want, got envlock.Lock
	gone      map[place]bool // declared, and not there any more
	open      map[place]bool // there, and a problem
}

func (j *judge) judge(d envlock.Difference) (v judgement, why string) {
	in := func(set map[place]bool) bool {
		for at := range set {
			if d.Component == at.component && (d.Fact == at.name || strings.HasPrefix(d.Fact, at.name+".")) {
				return true
			}
		}
		return false
	}
	switch {
	case d.Change == envlock.Removed && in(j.open):
		return told, ""
	case d.Component == envlock.ComponentVariables, d.Component == envlock.ComponentLocks, in(j.gone):
		return differs, "" // a variable that is null is known not to be set
	case d.Component == "os" && packageFact(d.Fact) && !(readPackages(j.want) && readPackages(j.got)):
		return told, ""
	case d.Component == "options" && d.Fact == revisionFact:
		return unread, "it was captured by a relseal that looks for other facts; capture it again with this one"
	case d.Change != envlock.Removed && d.New == nil:
		return unread, "it cannot be read now"
	case d.Change != envlock.Added && d.Old == nil:
		return unread, "it could not be read when it was captured"
	case d.Change != envlock.Changed && revisionOf(j.want) != revisionOf(j.got):
		return unread, "one of the two relseals may not look for it"
	default:
		return differs, ""
	}
}

// readPackages reports whether the package databases could be read.
func readPackages(l envlock.Lock) bool { return l.Env.OS[packagesFact] != nil }

func revisionOf(l envlock.Lock) string {
	if v := l.Env.Options[revisionFact]; v != nil {
		return *v
	}
	return ""
}
