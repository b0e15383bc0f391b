package yamldoc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
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

// ErrSchema reports a document of another schema than the one wanted.
var ErrSchema = errors.New("schema")

// Schema reads the member schema, and reports whether it is want. A reader asks
// it first: of a document of another schema nothing else is worth saying, so
// on false it returns [Document.Err] without Finish.
func (m *Mapping) Schema(want string) bool {
	v := m.get("schema", want)
	if !m.is(v, Text, want) {
		return false
	}
	if v.text != want {
		text, hint := otherSchema(want, v.text)
		m.doc.broken(v, text, hint)
		return false
	}
	return true
}

// otherSchema says what is wrong with a schema that is not the one wanted.
func otherSchema(want, got string) (text, hint string) {
	text = fmt.Sprintf("want %s, got %s", want, Quote(got))
	kind := want[:strings.LastIndexByte(want, '/')+1]
	if strings.HasPrefix(got, kind) {
		return text, "another version of this format; it needs another release of relseal"
	}
	return text, Suggest(got, []string{want})
}

// Unmarshal stores in v the canonical document data, of at most limits.Card
// bytes, whose member schema is want; otherwise the error wraps ErrSchema.
func Unmarshal(data []byte, want string, v any) error {
	if len(data) > limits.Card {
		return fmt.Errorf("%d bytes; at most %d are allowed", len(data), limits.Card)
	}
	if err := canon.Check(data); err != nil {
		return err
	}
	// canon has seen to it that no name occurs twice and that case matters.
	var head map[string]json.RawMessage
	var got string
	if json.Unmarshal(data, &head) != nil {
		return fmt.Errorf("%w: want %s, got no object", ErrSchema, want)
	}
	if json.Unmarshal(head["schema"], &got) != nil {
		return fmt.Errorf("%w: want %s, got none", ErrSchema, want)
	}
	if got != want {
		text, _ := otherSchema(want, got)
		return fmt.Errorf("%w: %s", ErrSchema, text)
	}
	return canon.Unmarshal(data, v)
}
