// Package ciinfo says which CI job this is, from the variables that the CI
// system documents. It asks nobody: a lookup function goes in, facts come out.
//
// Everything here is what the job's environment says of itself. Whoever controls
// the job can say anything; a record of it is a statement and no proof.
package ciinfo

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Info is a CI job. What the system does not say, or says in a form that could
// not be what it documents, is nil.
type Info struct {
	System string  `json:"system"` // github-actions, gitlab-ci or buildkite
	Commit *string `json:"commit"` // 40 or 64 lower-case hexadecimal digits
	Actor  *string `json:"actor"`  // the account that the job runs for
	Run    *string `json:"run"`    // the system's number or id of the workflow run, pipeline or build
	URL    *string `json:"url"`    // where people look at the job
}

// Detect returns the job, or nil outside of the CI systems that it knows. lookup
// is a function like [os.LookupEnv].
func Detect(lookup func(string) (string, bool)) *Info {
	v := variables(lookup)
	switch {
	case v.is("GITHUB_ACTIONS"):
		return v.github()
	case v.is("GITLAB_CI"):
		return v.gitlab()
	case v.is("BUILDKITE"):
		return v.buildkite()
	}
	return nil
}

type variables func(string) (string, bool)

func (v variables) is(name string) bool {
	s, _ := v(name)
	return strings.EqualFold(s, "true")
}

// maxValue bounds what is taken for a name, an id or an address.
const maxValue = 1024

// text returns a variable that is one line of printable ASCII, else nil.
func (v variables) text(name string) *string {
	s := v.person(name)
	if s == nil || strings.ContainsFunc(*s, func(r rune) bool { return r > unicode.MaxASCII }) {
		return nil
	}
	return s
}

// person returns a variable that is one line of text in any script.
func (v variables) person(name string) *string {
	s, _ := v(name)
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if s == "" || len(s) > maxValue || !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
		return nil
	}
	return &s
}

// commit returns a commit in lower case. Buildkite documents that its variable
// may hold a symbolic name such as HEAD: that names no commit.
func (v variables) commit(name string) *string {
	s, _ := v(name)
	s = strings.ToLower(s)
	if len(s) != 40 && len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return nil
	}
	return &s
}

// url returns a variable that is a web address.
func (v variables) url(name string) *string {
	s := v.text(name)
	if s == nil || !strings.HasPrefix(*s, "https://") && !strings.HasPrefix(*s, "http://") {
		return nil
	}
	return s
}

// joined returns base with the rest after it, nil if a part is missing.
func joined(base *string, rest ...any) *string {
	if base == nil {
		return nil
	}
	s := *base
	for _, part := range rest {
		switch p := part.(type) {
		case string:
			s += p
		case *string:
			if p == nil {
				return nil
			}
			s += *p
		}
	}
	return &s
}
