package yamldoc

import (
	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/document"
)

// Canonical returns the canonical JSON of what the YAML document data says,
// whatever its schema. Its error is Faults.
func Canonical(file string, data []byte) ([]byte, error) {
	d := Open(file, data)
	if err := d.Err(); err != nil {
		return nil, err
	}
	out, err := canon.Marshal(d.root.plain())
	if err != nil {
		d.fault(d.root.line, nil, err.Error(), "")
		return nil, d.Err()
	}
	return out, nil
}

// plain returns v as the types of encoding/json.
func (v *value) plain() any {
	switch v.kind {
	case Map:
		m := make(map[string]any, len(v.members))
		for name, member := range v.members {
			m[name] = member.plain()
		}
		return m
	case List:
		items := make([]any, len(v.items))
		for i, item := range v.items {
			items[i] = item.plain()
		}
		return items
	case Text:
		return v.text
	case Integer:
		return v.integer
	case Bool:
		return v.text == "true"
	default:
		return nil
	}
}

// Schema reads the member schema, and reports whether it is want. A reader asks
// it first: of a document of another schema nothing else is worth saying, so
// on false it returns [Document.Err] without Finish.
func (m *Mapping) Schema(want string) bool {
	v := m.get("schema", want)
	if !m.is(v, Text, want) {
		return false
	}
	if v.text != want {
		text, hint := document.OtherSchema(want, v.text)
		m.doc.broken(v, text, hint)
		return false
	}
	return true
}
