// Package lazyregexp compiles a regular expression when it is first used. One that is
// compiled as its package is initialised costs every start of the program, also of
// those commands that never match it: all of them took a third of the time of relseal
// version.
package lazyregexp

import (
	"regexp"
	"sync"
)

// A Regexp is a regular expression that may not be compiled yet.
type Regexp struct{ compiled func() *regexp.Regexp }

// New returns the regular expression text, which must be one: like
// [regexp.MustCompile], but the panic comes with the first use.
func New(text string) *Regexp {
	return &Regexp{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// The methods are those of [regexp.Regexp].

func (r *Regexp) MatchString(s string) bool            { return r.compiled().MatchString(s) }
func (r *Regexp) Match(b []byte) bool                  { return r.compiled().Match(b) }
func (r *Regexp) FindString(s string) string           { return r.compiled().FindString(s) }
func (r *Regexp) FindStringSubmatch(s string) []string { return r.compiled().FindStringSubmatch(s) }

func (r *Regexp) FindSubmatch(b []byte) [][]byte { return r.compiled().FindSubmatch(b) }

func (r *Regexp) ReplaceAll(src, to []byte) []byte { return r.compiled().ReplaceAll(src, to) }

func (r *Regexp) ReplaceAllString(src, to string) string {
	return r.compiled().ReplaceAllString(src, to)
}

func (r *Regexp) ReplaceAllStringFunc(src string, f func(string) string) string {
	return r.compiled().ReplaceAllStringFunc(src, f)
}

func (r *Regexp) FindAllSubmatch(b []byte, n int) [][][]byte {
	return r.compiled().FindAllSubmatch(b, n)
}
