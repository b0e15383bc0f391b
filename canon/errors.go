package canon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// plainer drops the library's name and Go's types from its errors: what a user
// reads names the place and the fault, not the parser.
func plainer(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		text := "malformed JSON"
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			text = "ends in the middle of a JSON value"
		case errors.Is(err, jsontext.ErrDuplicateName):
			text = "duplicate member name"
		case syntax.Err != nil:
			text = syntax.Err.Error()
		}
		return fmt.Errorf("%s: %s", place(syntax.ByteOffset, syntax.JSONPointer), text)
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		at := show(semantic.JSONPointer)
		switch {
		case errors.Is(err, json.ErrUnknownName):
			return fmt.Errorf("%s: unknown member", at)
		case semantic.Err != nil:
			return fmt.Errorf("%s: %w", at, semantic.Err)
		case semantic.JSONKind == 0: // a field of a type that no document has: our own mistake
			return fmt.Errorf("%s: %v cannot be marshalled", at, semantic.GoType)
		default:
			return unexpected(semantic.JSONPointer, semantic.JSONKind)
		}
	}
	return err
}

// mismatch says why data, which parses, differs from want, which a writer would
// write for what was understood.
func mismatch(data, want []byte) error {
	if err := Check(data); err != nil {
		return err
	}
	// Both are canonical, so a member or a value differs.
	d, w := jsontext.NewDecoder(bytes.NewBuffer(data)), jsontext.NewDecoder(bytes.NewBuffer(want))
	for {
		got, err := d.ReadToken()
		if err != nil {
			return err
		}
		exp, err := w.ReadToken()
		if err != nil {
			return err
		}
		if got.Kind() == exp.Kind() && got.String() == exp.String() {
			continue
		}
		switch {
		case isName(w) && (!isName(d) || got.String() > exp.String()):
			return fmt.Errorf("%s: missing member", show(w.StackPointer()))
		case isName(d):
			return fmt.Errorf("%s: an optional member that is not set must be absent", show(d.StackPointer()))
		case got.Kind() != exp.Kind():
			return unexpected(d.StackPointer(), got.Kind())
		default:
			return fmt.Errorf("%s: %w", show(d.StackPointer()), ErrNotCanonical)
		}
	}
}

func unexpected(p jsontext.Pointer, k jsontext.Kind) error {
	kind := k.String()
	switch k {
	case 't', 'f':
		kind = "boolean"
	case '{', '}':
		kind = "object"
	case '[', ']':
		kind = "array"
	}
	return fmt.Errorf("%s: unexpected JSON %s", show(p), kind)
}

// place names a byte of the input and, within a document, the value there.
func place(offset int64, p jsontext.Pointer) string {
	if p == "" {
		return fmt.Sprintf("byte %d", offset)
	}
	return fmt.Sprintf("byte %d, %s", offset, show(p))
}

// show returns p fit for an error line: its names come from the input.
func show(p jsontext.Pointer) string {
	switch s := clip(string(p)); {
	case s == "":
		return "the document"
	case !Printable(s):
		return strconv.QuoteToASCII(s)
	default:
		return s
	}
}

// clip keeps error lines short when the input is not.
func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}
