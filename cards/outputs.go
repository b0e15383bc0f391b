package cards

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/relseal/relseal/internal/document"
)

// AllOutputs returns the paths of everything that the step makes: its outputs
// and, last, the file that its standard output goes to.
func (s Step) AllOutputs() []string {
	if s.Stdout == "" || slices.Contains(s.Outputs, s.Stdout) {
		return s.Outputs
	}
	return append(slices.Clone(s.Outputs), s.Stdout)
}

// repeats says why the outputs of s cannot be compared with those of earlier,
// the step that s.SameAs names, or "". They are compared one by one in the order
// of AllOutputs: sorted, standard output last. If each step has one output, those
// two; if there are more, each two must have the same base name, so that nobody
// has to guess which belong together.
func (s Step) repeats(earlier Step) string {
	first, again := earlier.AllOutputs(), s.AllOutputs()
	switch {
	case len(first) == 0 && len(again) == 0:
		return fmt.Sprintf("neither this step nor %s has an output to compare", document.Quote(earlier.ID))
	case len(first) != len(again):
		return fmt.Sprintf("this step has %s, %s has %s", count(again), document.Quote(earlier.ID), count(first))
	case len(first) == 1:
		return ""
	}
	for i := range first {
		if path.Base(first[i]) != path.Base(again[i]) {
			return fmt.Sprintf("%s would be compared with %s of step %s, which has another base name", document.Quote(again[i]), document.Quote(first[i]), document.Quote(earlier.ID))
		}
	}
	return ""
}

func count(outputs []string) string {
	if len(outputs) == 1 {
		return "1 output"
	}
	return fmt.Sprintf("%d outputs", len(outputs))
}

// folded is the form in which paths must be unique: some file systems ignore
// case. Outputs are ASCII.
func folded(p string) string { return strings.ToLower(p) }
