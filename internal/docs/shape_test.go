package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A member is one row of a table, or one of the paths that a row stands for.
type member struct {
	path     string
	kinds    []string // the words of its type
	optional bool
	rule     string // what the page says of its value
}

const memberHeader = "member,type,value"

// membersOf returns what the table under a heading lists, by path.
func membersOf(t *testing.T, heading string) map[string]member {
	t.Helper()
	found := map[string]member{}
	for _, row := range rowsOf(t, heading, memberHeader) {
		for _, span := range spans(row[0]) {
			for _, path := range expand(span) {
				if _, twice := found[path]; twice {
					t.Errorf("%s: %s stands there twice", heading, path)
				}
				found[path] = member{path, kindWords(row[1]), strings.Contains(row[0], "*optional*"), row[2]}
			}
		}
	}
	return found
}

// kindWords splits "text, commit or null" into its words.
func kindWords(cell string) []string {
	return strings.Split(strings.ReplaceAll(cell, " or ", ", "), ", ")
}

// expand writes a.{b,c} as a.b and a.c.
func expand(path string) []string {
	before, rest, ok := strings.Cut(path, "{")
	if !ok {
		return []string{path}
	}
	list, after, _ := strings.Cut(rest, "}")
	var out []string
	for choice := range strings.SplitSeq(list, ",") {
		out = append(out, expand(before+choice+after)...)
	}
	return out
}

// A shape is what the tables say of one value.
type shape struct {
	kinds    []string
	rule     string
	optional bool
	members  map[string]*shape
	any      *shape // what each member of an object with free names is like
	elem     *shape // what each element of an array is like
}

// shapes reads every table of members: by heading in lower case, and the common
// objects by name.
func shapes(t *testing.T) map[string]*shape {
	t.Helper()
	all := map[string]*shape{}
	for _, tab := range tables(read(t, formatPage)) {
		if tab.header != memberHeader {
			continue
		}
		for path, m := range membersOf(t, tab.heading) {
			name := strings.ToLower(tab.heading)
			if tab.heading == "Objects that several documents have" {
				name, path, _ = strings.Cut(path, ".")
			}
			if all[name] == nil {
				all[name] = &shape{}
			}
			all[name].at(path, m)
		}
	}
	all["policy"], all["window"] = all["gate policy"], all["the window"]
	return all
}

// at goes down a path and notes there what a row says. That an array or an object
// with free names is optional stands in the row of what is in it.
func (s *shape) at(path string, m member) {
	name, rest, deeper := strings.Cut(path, ".")
	next := s.named(strings.TrimRight(name, "[]"))
	if m.optional && (!deeper || rest == "*") {
		next.optional = true
	}
	for range strings.Count(name, "[]") {
		next = child(&next.elem)
	}
	if deeper {
		next.at(rest, m)
		return
	}
	next.kinds, next.rule = m.kinds, m.rule
}

func (s *shape) named(name string) *shape {
	if name == "*" {
		return child(&s.any)
	}
	if s.members == nil {
		s.members = map[string]*shape{}
	}
	if s.members[name] == nil {
		s.members[name] = &shape{}
	}
	return s.members[name]
}

func child(s **shape) *shape {
	if *s == nil {
		*s = &shape{}
	}
	return *s
}

// A form checks values against the shapes; leaf says whether a string or number
// is of the kind that a word names.
type form struct {
	shapes map[string]*shape
	leaf   func(kind string, v any) bool
}

// check returns what is wrong with v, a document read by encoding/json with
// UseNumber, or "".
func (f form) check(name string, v any) string {
	if f.shapes[name] == nil {
		return "no table is called " + name
	}
	return f.value(name, f.shapes[name], v)
}

func (f form) value(at string, s *shape, v any) string {
	switch v := v.(type) {
	case nil:
		if slices.Contains(s.kinds, "null") {
			return ""
		}
		return at + ": null"
	case []any:
		if s.elem != nil {
			return f.array(at, s, v)
		}
	case map[string]any:
		if s.members != nil || s.any != nil {
			return f.object(at, s, v)
		}
	}
	for _, kind := range s.kinds {
		if of := f.shapes[kind]; of != nil && f.value(at, of, v) == "" || of == nil && f.leaf(kind, v) {
			return f.obeys(at, s.rule, v)
		}
	}
	return fmt.Sprintf("%s: %v is not %s", at, v, strings.Join(s.kinds, " or "))
}

func (f form) array(at string, s *shape, list []any) string {
	if s.optional && len(list) == 0 {
		return at + ": empty"
	}
	for i, v := range list {
		if fault := f.value(fmt.Sprintf("%s[%d]", at, i), s.elem, v); fault != "" {
			return fault
		}
		if i > 0 && !f.ascends(s.elem, list[i-1], v) {
			return fmt.Sprintf("%s[%d]: not sorted", at, i)
		}
	}
	return ""
}

// ascends reports whether b may follow a where the page says sorted.
func (f form) ascends(s *shape, a, b any) bool {
	if slices.Contains(clauses(s.rule), "sorted") {
		return a.(string) < b.(string)
	}
	for _, kind := range s.kinds {
		if f.shapes[kind] != nil {
			s = f.shapes[kind]
		}
	}
	for name, m := range s.members {
		if slices.Contains(clauses(m.rule), "sorted") && a.(map[string]any)[name].(string) >= b.(map[string]any)[name].(string) {
			return false
		}
	}
	return true
}

func (f form) object(at string, s *shape, v map[string]any) string {
	if s.optional && len(v) == 0 {
		return at + ": empty"
	}
	for name, value := range v {
		m := s.members[name]
		if s.any != nil {
			m = s.any
		}
		if m == nil {
			return at + "." + name + ": unknown"
		}
		if fault := f.value(at+"."+name, m, value); fault != "" {
			return fault
		}
	}
	for name, m := range s.members {
		if _, ok := v[name]; !ok && !m.optional {
			return at + "." + name + ": missing"
		}
	}
	return ""
}

func clauses(rule string) []string { return strings.Split(rule, "; ") }

// pattern returns the expression of a rule, made once.
func pattern(rule string) *regexp.Regexp {
	if patterns[rule] == nil {
		patterns[rule] = regexp.MustCompile("^(" + rule + ")$")
	}
	return patterns[rule]
}

var patterns = map[string]*regexp.Regexp{}

var bytesAtMost = regexp.MustCompile(`^at most (\d+) bytes$`)

var bound = regexp.MustCompile(`^at (least|most) (\d+)$`)

// obeys looks at the parts of a rule that are formal: always, one of, matches,
// at least or most a number, at most so many bytes, not empty.
func (f form) obeys(at, rule string, v any) string {
	text, isText := v.(string)
	for _, c := range clauses(rule) {
		ok := true
		switch n := bound.FindStringSubmatch(c); {
		case strings.HasPrefix(c, "always "), strings.HasPrefix(c, "one of "):
			ok = slices.Contains(spans(c), text)
		case strings.HasPrefix(c, "matches ") && isText:
			ok = pattern(spans(c)[0]).MatchString(text)
		case c == "not empty" && isText:
			ok = text != ""
		case bytesAtMost.MatchString(c) && isText:
			limit, _ := strconv.Atoi(bytesAtMost.FindStringSubmatch(c)[1])
			ok = len(text) <= limit
		case n != nil:
			limit, _ := strconv.ParseInt(n[2], 10, 64)
			got, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
			ok = err == nil && (n[1] == "least" && got >= limit || n[1] == "most" && got <= limit)
		}
		if !ok {
			return fmt.Sprintf("%s: %v, want %s", at, v, c)
		}
	}
	return ""
}
