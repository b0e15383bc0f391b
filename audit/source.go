package audit

import (
	"strings"

	"github.com/relseal/relseal/canon"
)

// Source is what run.start may say of the code: details.source.
type Source struct {
	Commit string // in lower case; "" if there is none
	Dirty  *bool  // whether files differed from it; nil where nobody looked
}

// Source returns what e records in details.source. It is false where that has another
// form than the format gives it, such as a commitment: then nobody can say what it means.
// A text that stands for the commit is returned all the same.
func (e *Event) Source() (s Source, ok bool) {
	var details, source map[string]canon.Value
	if len(e.Details) == 0 || e.Details.Kind() != '{' || canon.Peek(e.Details, &details) != nil {
		return s, true
	}
	value, recorded := details["source"]
	if !recorded {
		return s, true
	}
	if value.Kind() != '{' || canon.Peek(value, &source) != nil {
		return s, false
	}
	ok = true
	if commit, some := source["commit"]; some {
		var text string
		known := commit.Kind() == '"' && canon.Peek(commit, &text) == nil
		s.Commit = strings.ToLower(text)
		ok = known && isCommit(s.Commit)
	}
	if dirty, some := source["dirty"]; some && (canon.Peek(dirty, &s.Dirty) != nil || s.Dirty == nil) {
		ok = false
	}
	return s, ok
}

// isCommit reports whether s is a commit: 40 or 64 hexadecimal digits.
func isCommit(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}
