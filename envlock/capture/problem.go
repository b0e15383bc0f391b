package capture

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/hint"
)

// The kinds of a Problem.
const (
	KindTool     = "tool"
	KindLock     = "lock file"
	KindVariable = "variable"
	KindArgument = "argument"
)

// A Problem is one thing of a request that cannot be recorded. It never holds
// the value of a variable or an argument.
type Problem struct {
	Kind string // KindTool, KindLock, KindVariable or KindArgument
	Name string // of an argument its number
	Text string // the fault
	Hint string // what to do about it
	err  error  // the cause, if there is one
}

func (p *Problem) Error() string {
	if p.Kind == KindArgument {
		return fmt.Sprintf("%s %s: %s", p.Kind, p.Name, p.Text)
	}
	return fmt.Sprintf("%s %+q: %s", p.Kind, p.Name, p.Text)
}

func (p *Problem) Unwrap() error { return p.err }

// Problems are all the problems of a request: tools, lock files, variables,
// arguments, each sorted by name. Its text has one line for each.
type Problems []*Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

func (ps *Problems) add(kind, name, text, hint string, err error) {
	*ps = append(*ps, &Problem{kind, name, text, hint, err})
}

// err returns ps as an error that carries the hints of all.
func (ps Problems) err() error {
	var hints []string
	for _, p := range ps {
		if p.Hint != "" && !slices.Contains(hints, p.Hint) {
			hints = append(hints, p.Hint)
		}
	}
	return hint.With(ps, strings.Join(hints, "; "))
}

var _ interface{ Unwrap() []error } = Problems{} // for errors.Is and errors.As

// ErrSecret is wrapped by the problem of what looks like a credential.
var ErrSecret = errors.New("looks like a credential")
