package yamldoc

import (
	"slices"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
)

// A Mapping reads the members of one mapping. Each method reads one member: it
// reports what is wrong with it, including that it is missing, and returns the
// zero value then. So a reader asks for everything it knows, without a branch,
// and looks at the faults at the end.
type Mapping struct {
	doc      *Document
	v        *value // nil: the mapping itself is missing or malformed, which has been reported
	optional bool
	known    *names
}

// names are those that were asked for, in that order.
type names struct {
	order []string
	set   map[string]bool
}

func (n *names) add(name string) {
	if !n.set[name] {
		n.set[name] = true
		n.order = append(n.order, name)
	}
}

// open returns a reader of v, which is a mapping or nil.
func (d *Document) open(v *value) *Mapping {
	m := &Mapping{doc: d, v: v, known: &names{set: map[string]bool{}}}
	if v != nil {
		d.opened = append(d.opened, m)
	}
	return m
}

// Optional returns the same mapping, whose methods accept that a member is
// absent or null.
func (m *Mapping) Optional() *Mapping {
	o := *m
	o.optional = true
	return &o
}

// Has reports whether there is a member name that is not null.
func (m *Mapping) Has(name string) bool {
	if m.v == nil {
		return false
	}
	v := m.v.members[name]
	return v != nil && v.kind != Null
}

// Names returns the names of all members in the order of the file.
func (m *Mapping) Names() []string {
	if m.v == nil {
		return nil
	}
	return slices.Clone(m.v.names)
}

// get returns the member name, or nil where there is nothing to read. want
// says what it should be, for the fault.
func (m *Mapping) get(name, want string) *value {
	if m.v == nil {
		return nil
	}
	m.known.add(name)
	v := m.v.members[name]
	switch {
	case v == nil && m.optional:
	case v == nil:
		m.doc.fault(m.v.line, append(m.v.path(), name), "is missing; want "+want, "")
		if m.v.missing == nil {
			m.v.missing = map[string]bool{}
		}
		m.v.missing[name] = true
	case v.kind == Null && v.text == "":
		m.doc.broken(v, "has no value; want "+want, "")
	case v.kind == Null && m.optional:
	default:
		return v
	}
	return nil
}

// is reports whether v has the kind, and reports a fault if not.
func (m *Mapping) is(v *value, kind Kind, want string) bool {
	if v == nil || v.kind == kind {
		return v != nil
	}
	hint := ""
	switch {
	case v.kind == Null && v.text == "":
	case kind == Text && v.kind < Text:
		hint = quoteHint(v.text)
	case want == listOfTexts && v.kind == Text && document.IsWord(v.text):
		hint = "write [" + v.text + "]"
	case kind < Text && v.kind == Text && readPlain(v.text).kind == kind:
		hint = "write " + document.Clip(v.text) + " without quotes"
	}
	m.doc.broken(v, "want "+want+", got "+v.describe(), hint)
	return false
}

// describe says what v is, in a few words.
func (v *value) describe() string {
	switch v.kind {
	case List:
		return "a list"
	case Map:
		return "a mapping"
	case Text:
		return "the text " + document.Quote(v.text)
	case Integer:
		return "the integer " + v.text
	case Null:
		if v.text == "" {
			return "nothing"
		}
		return v.text
	default:
		return v.text
	}
}

// Text reads a text that is not empty.
func (m *Mapping) Text(name string) string {
	v := m.get(name, "a text")
	if !m.is(v, Text, "a text") {
		return ""
	}
	if v.text == "" {
		m.doc.broken(v, "is empty", "")
	}
	return v.text
}

// AnyText reads a text that may be empty.
func (m *Mapping) AnyText(name string) string {
	if v := m.get(name, "a text"); m.is(v, Text, "a text") {
		return v.text
	}
	return ""
}

const listOfTexts = "a list of texts"

// Texts reads a list of texts, each of which may be empty.
func (m *Mapping) Texts(name string) []string {
	var out []string
	for _, item := range m.list(name, listOfTexts) {
		text := ""
		if m.is(item, Text, "a text") {
			text = item.text
		}
		out = append(out, text) // keeps the index, for faults of meaning
	}
	return out
}

// TextMap reads a mapping of any names to texts, which may be empty.
func (m *Mapping) TextMap(name string) map[string]string {
	child := m.Map(name)
	names := child.Names()
	if len(names) == 0 {
		return nil
	}
	out := make(map[string]string, len(names))
	for _, n := range names {
		out[n] = child.AnyText(n)
	}
	return out
}

// Enum reads a text that is one of the choices.
func (m *Mapping) Enum(name string, choices ...string) string {
	want := "one of " + strings.Join(choices, ", ")
	v := m.get(name, want)
	if !m.is(v, Text, want) {
		return ""
	}
	if !slices.Contains(choices, v.text) {
		m.doc.broken(v, "want "+want+", got "+v.describe(), document.Suggest(v.text, choices))
		return ""
	}
	return v.text
}

// Int reads an integer within ±(2^53−1).
func (m *Mapping) Int(name string) int64 {
	if v := m.get(name, "an integer"); m.is(v, Integer, "an integer") {
		return v.integer
	}
	return 0
}

// Bool reads true or false.
func (m *Mapping) Bool(name string) bool {
	v := m.get(name, "true or false")
	return m.is(v, Bool, "true or false") && v.text == "true"
}

// Decimal reads an exact number: an integer, or a quoted decimal in any
// spelling that [canon.ImportDecimal] takes.
func (m *Mapping) Decimal(name string) canon.Decimal {
	const want = `a decimal such as "0.05"`
	v := m.get(name, want)
	if v == nil {
		return ""
	}
	if v.kind != Integer && !m.is(v, Text, want) {
		return ""
	}
	d, err := canon.ImportDecimal(v.text)
	if err != nil {
		m.doc.broken(v, "want "+want+"; "+err.Error(), "")
	}
	return d
}

// Duration reads a duration such as 30m as milliseconds; see [ParseDuration].
func (m *Mapping) Duration(name string) int64 {
	const want = "a duration such as 30m"
	v := m.get(name, want)
	if v != nil && v.kind == Integer {
		m.doc.broken(v, "want "+want+", got "+v.describe(), "add the unit: "+v.text+"s")
		return 0
	}
	if !m.is(v, Text, want) {
		return 0
	}
	ms, err := ParseDuration(v.text)
	if err != nil {
		m.doc.broken(v, err.Error(), "write it as 2h, 30m, 90s or 500ms")
	}
	return ms
}

// Map reads a mapping. It never returns nil; where the member is absent,
// the result has no members and reports nothing.
func (m *Mapping) Map(name string) *Mapping {
	v := m.get(name, "a mapping")
	if !m.is(v, Map, "a mapping") {
		v = nil
	}
	return m.doc.open(v)
}

// Maps reads a list of mappings. An item that is none reports nothing further.
func (m *Mapping) Maps(name string) []*Mapping {
	var out []*Mapping
	for _, item := range m.list(name, "a list of mappings") {
		if !m.is(item, Map, "a mapping") {
			item = nil
		}
		out = append(out, m.doc.open(item))
	}
	return out
}

// Scalar reads a text, integer or boolean.
func (m *Mapping) Scalar(name string) Scalar {
	return m.scalar(m.get(name, "a text, a number or a boolean"))
}

// Scalars reads a list of texts, integers and booleans.
func (m *Mapping) Scalars(name string) []Scalar {
	var out []Scalar
	for _, item := range m.list(name, "a list of texts, numbers or booleans") {
		out = append(out, m.scalar(item))
	}
	return out
}

func (m *Mapping) scalar(v *value) Scalar {
	if v == nil {
		return Scalar{}
	}
	if v.kind >= List || v.kind == Null {
		m.doc.broken(v, "want a text, a number or a boolean, got "+v.describe(), "")
		return Scalar{}
	}
	return Scalar{Kind: v.kind, Text: v.text}
}

func (m *Mapping) list(name, want string) []*value {
	if v := m.get(name, want); m.is(v, List, want) {
		return v.items
	}
	return nil
}

// A Scalar is a text, integer or boolean as it is written; Null if it could not
// be read.
type Scalar struct {
	Kind Kind
	Text string
}

// reportUnknown reports the members that nobody asked for.
func (m *Mapping) reportUnknown() {
	for _, name := range m.v.names {
		if m.known.set[name] || m.v.members[name].misnamed {
			continue
		}
		hint := document.Suggest(name, m.known.order)
		if hint == "" && len(m.known.order) > 0 {
			hint = "known: " + strings.Join(m.known.order, ", ")
		}
		m.doc.fault(m.v.lines[name], append(m.v.path(), name), "unknown member", hint)
	}
}
