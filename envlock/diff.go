package envlock

import (
	"fmt"
	"maps"
	"slices"
)

// The names under which Diff reports what is not one of the eleven components.
const (
	ComponentLocks     = "locks"     // facts are paths, values digests
	ComponentVariables = "variables" // facts are names of variables
)

// A Change says what became of a fact.
type Change string

const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
)

// A Difference is one fact in which two environments differ. Old and New are
// null where the value is null (not readable, not set) or, as Change tells, the
// fact is absent.
type Difference struct {
	Component string  `json:"component"`
	Fact      string  `json:"fact"`
	Old       *string `json:"old"`
	New       *string `json:"new"`
	Change    Change  `json:"change"`
}

// String returns the difference as one line, its values quoted.
func (d Difference) String() string {
	switch d.Change {
	case Added:
		return fmt.Sprintf("%s %s: added %s", d.Component, d.Fact, quote(d.New))
	case Removed:
		return fmt.Sprintf("%s %s: removed %s", d.Component, d.Fact, quote(d.Old))
	default:
		return fmt.Sprintf("%s %s: %s -> %s", d.Component, d.Fact, quote(d.Old), quote(d.New))
	}
}

// Diff returns every fact in which a and b differ: the components in the order
// of the specification, then the lock files, then the variables, each sorted by
// fact. It returns nothing iff a and b have the same fingerprint.
func Diff(a, b Lock) []Difference {
	var diffs []Difference
	next := maps.Collect(b.Env.All())
	for name, old := range a.Env.All() {
		diffs = appendDiff(diffs, name, old, next[name])
	}
	diffs = appendDiff(diffs, ComponentLocks, lockFacts(a.Locks), lockFacts(b.Locks))
	return appendDiff(diffs, ComponentVariables, a.Variables, b.Variables)
}

func appendDiff(diffs []Difference, component string, a, b map[string]*string) []Difference {
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	for _, fact := range slices.Compact(names) {
		old, had := a[fact]
		new, has := b[fact]
		d := Difference{Component: component, Fact: fact, Old: old, New: new, Change: Changed}
		switch {
		case !had:
			d.Change = Added
		case !has:
			d.Change = Removed
		case old == nil && new == nil, old != nil && new != nil && *old == *new:
			continue
		}
		diffs = append(diffs, d)
	}
	return diffs
}

func lockFacts(locks []LockFile) map[string]*string {
	facts := make(map[string]*string, len(locks))
	for _, l := range locks {
		text := l.Hash.String()
		facts[l.Path] = &text
	}
	return facts
}

// quote keeps control characters of a value away from a terminal.
func quote(s *string) string {
	if s == nil {
		return "null"
	}
	return fmt.Sprintf("%q", *s)
}
