// Package document holds what all documents have in common, however they are written:
// faults that name a member, and the reading of a canonical one of a known schema.
//
// Whoever verifies reads canonical JSON alone. What people write as YAML is read by
// internal/yamldoc, which reports faults of the same kind and is linked only by what
// reads what people wrote.
package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/internal/limits"
)

// ErrSchema reports a document of another schema than the one wanted.
var ErrSchema = errors.New("schema")

// OtherSchema says what is wrong with a schema that is not the one wanted.
func OtherSchema(want, got string) (text, hint string) {
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
		text, _ := OtherSchema(want, got)
		return fmt.Errorf("%w: %s", ErrSchema, text)
	}
	return canon.Unmarshal(data, v)
}
