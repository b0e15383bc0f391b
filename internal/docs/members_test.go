package docs

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/relseal/relseal/audit"
	"github.com/relseal/relseal/bundle"
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
	"github.com/relseal/relseal/envlock"
	"github.com/relseal/relseal/gates"
	"github.com/relseal/relseal/sign"
	"github.com/relseal/relseal/verify"
)

// The tables of members list what the types of the code have, of the same type,
// optional and null where those are.
func TestMembers(t *testing.T) {
	for heading, v := range map[string]any{
		"The genesis":   audit.Genesis{},
		"The event":     audit.Event{},
		"EnvLock":       envlock.Lock{},
		"PipelineCard":  cards.Pipeline{},
		"ParamCard":     cards.Params{},
		"Gate policy":   gates.Policy{},
		"The window":    gates.Window{},
		"The decision":  gates.Decision{},
		"AuditBundle":   bundle.AuditManifest{},
		"ReleaseBundle": bundle.ReleaseManifest{},
		"The report":    verify.Report{},
	} {
		compareMembers(t, heading, membersOf(t, heading), typeMembers(reflect.TypeOf(v)))
	}
	common := membersOf(t, "Objects that several documents have")
	for typ, name := range named {
		if name == "policy" || name == "window" {
			continue // have their own tables
		}
		rows := map[string]member{}
		for path, m := range common {
			if rest, ok := strings.CutPrefix(path, name+"."); ok {
				rows[rest] = m
			}
		}
		compareMembers(t, name, rows, typeMembers(typ))
	}
}

// named are the types for which the tables have a word.
var named = map[reflect.Type]string{
	reflect.TypeFor[audit.Item]():       "item",
	reflect.TypeFor[bundle.Artifact]():  "artifact",
	reflect.TypeFor[bundle.File]():      "file",
	reflect.TypeFor[audit.RootRef]():    "root",
	reflect.TypeFor[bundle.RootRef]():   "root",
	reflect.TypeFor[audit.Continues]():  "head",
	reflect.TypeFor[bundle.LedgerRef](): "head",
	reflect.TypeFor[gates.Policy]():     "policy",
	reflect.TypeFor[gates.Window]():     "window",
}

// words are the words for a leaf, by its type: one of several where the page
// says more of a string than Go does.
var words = map[reflect.Type][]string{
	reflect.TypeFor[sign.Digest]():   {"digest"},
	reflect.TypeFor[sign.KeyID]():    {"key id"},
	reflect.TypeFor[audit.Time]():    {"time"},
	reflect.TypeFor[audit.Text]():    {"text", "commit"},
	reflect.TypeFor[canon.Decimal](): {"decimal"},
	reflect.TypeFor[canon.Value]():   {"any", "object"},
	reflect.TypeFor[gates.Value]():   {"text"},
	reflect.TypeFor[gates.Int]():     {"integer"},
}

var kindsOf = map[reflect.Kind][]string{
	reflect.String: {"text", "name", "uint64"},
	reflect.Int64:  {"integer"},
	reflect.Bool:   {"boolean"},
	reflect.Struct: {"object"},
}

// A typeMember is a member as the code has it.
type typeMember struct {
	words          []string
	null, optional bool
	open           bool // whether it may be null is for a check to say, not for the type
}

// typeMembers returns the members of a struct by path.
func typeMembers(t reflect.Type) map[string]typeMember {
	found := map[string]typeMember{}
	addFields(found, "", t)
	return found
}

func addFields(found map[string]typeMember, path string, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "-" {
			addMember(found, path+name, f.Type, options != "")
		}
	}
}

func addMember(found map[string]typeMember, path string, t reflect.Type, optional bool) {
	m := typeMember{optional: optional}
	if t.Kind() == reflect.Pointer {
		t, m.null = t.Elem(), !optional
	}
	m.open = !optional && (t == reflect.TypeFor[audit.Text]() || t == reflect.TypeFor[canon.Value]() || t == reflect.TypeFor[gates.Value]())
	switch name, ok := named[t]; {
	case ok:
		m.words = []string{name}
	case words[t] != nil:
		m.words = words[t]
	default:
		m.words = kindsOf[t.Kind()]
	}
	switch isLeaf := named[t] != "" || words[t] != nil; {
	case !isLeaf && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		addMember(found, path+"[]", t.Elem(), optional)
	case !isLeaf && t.Kind() == reflect.Map:
		addMember(found, path+".*", t.Elem(), optional)
	case !isLeaf && t.Kind() == reflect.Struct:
		// A struct that is always there is known by its members.
		if m.null || m.optional {
			found[path] = m
		}
		addFields(found, path+".", t)
	default:
		found[path] = m
	}
}

func compareMembers(t *testing.T, where string, page map[string]member, code map[string]typeMember) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(code)) {
		want, got := code[path], page[path]
		kinds := slices.DeleteFunc(slices.Clone(got.kinds), func(k string) bool { return k == "null" })
		null := len(kinds) < len(got.kinds)
		switch {
		case got.path == "":
			t.Errorf("%s: the page lacks %s", where, path)
		case got.optional != want.optional:
			t.Errorf("%s: %s: optional is %v on the page, %v in the code", where, path, got.optional, want.optional)
		case null != want.null && !want.open:
			t.Errorf("%s: %s: may be null is %v on the page, %v in the code", where, path, null, want.null)
		case len(kinds) == 0 || slices.ContainsFunc(kinds, func(k string) bool { return !slices.Contains(want.words, k) }):
			t.Errorf("%s: %s is %q on the page; the code has %q", where, path, kinds, want.words)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(page)) {
		if _, ok := code[path]; !ok {
			t.Errorf("%s: the code has no %s", where, path)
		}
	}
}
