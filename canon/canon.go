// Package canon defines the bytes that relseal hashes and signs: strict JSON in
// the form of RFC 8785 (JCS), restricted so that one value has one encoding on
// every machine.
//
//   - One value, valid UTF-8, no duplicate names, depth at most 64, no string
//     above 64 KiB.
//   - A number is an integer within ±(2^53−1), written without fraction,
//     exponent or "-0"; every other number is a string, see [Decimal].
//   - Member names are U+0020 to U+007E. Other text is never normalised.
//   - The output has no white space and no trailing newline; members are
//     ordered by name.
//
// A reader accepts exactly the bytes that a writer would write: [Unmarshal]
// parses, marshals what it understood and compares. [Canonicalize] brings the JSON
// of others into this form. A [Value] is a part of a document as text, a [Decimal]
// a number that is exact.
//
// Errors name the place and the fault in one line of printable text, whatever
// the input holds.
package canon

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Value is one JSON value as text; inside a document it is canonical.
type Value = jsontext.Value

// ErrNotCanonical reports another spelling of a value than its canonical one:
// white space, the order of members, escapes.
var ErrNotCanonical = errors.New("not in canonical form")

// told is for where [recognise] or [walk] has looked for duplicate names, or will:
// looking again costs more than all else.
var told = jsontext.AllowDuplicateNames(true)

// Canonicalize returns the canonical form of the one JSON value in data.
func Canonicalize(data []byte) ([]byte, error) {
	if recognise(data) {
		return bytes.Clone(data), nil
	}
	return reencode(data)
}

// Check returns nil if data is the canonical form of a JSON value. Of data that
// is, it makes no copy.
func Check(data []byte) error {
	if recognise(data) {
		return nil
	}
	return compare(data)
}

// reencode is Canonicalize for any data.
func reencode(data []byte) ([]byte, error) {
	if err := walk(data); err != nil {
		return nil, err
	}
	v := Value(bytes.Clone(data))
	if err := v.Canonicalize(); err != nil {
		return nil, plainer(err)
	}
	return v, nil
}

// compare is Check for any data.
func compare(data []byte) error {
	want, err := reencode(data)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, want) {
		return fmt.Errorf("%w: first difference at byte %d", ErrNotCanonical, diff(data, want))
	}
	return nil
}

// Marshal returns the canonical form of v. Struct fields are named by their
// json tags; a member that is absent when unset carries omitzero or omitempty.
func Marshal(v any) ([]byte, error) {
	if data, err := json.Marshal(v, told); err == nil {
		if recognise(data) {
			return data, nil
		}
		// The fields of a struct come in the order in which they are declared.
		if arranged := arrange(data); recognise(arranged) {
			return arranged, nil
		}
	}
	return marshalPlainly(v) // which has the last word, and the reason for an error
}

// Unmarshal stores in v, which points to a zero value, the document whose
// canonical form is data. Bytes that Marshal(v) would not write are refused: an
// unknown or missing member, another order, another spelling of the same value.
// After an error v holds nothing of use.
func Unmarshal(data []byte, v any) error {
	if err := validate(data); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v, json.RejectUnknownMembers(true), told); err != nil {
		return plainer(err)
	}
	again, err := Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, again) {
		return mismatch(data, again)
	}
	return nil
}

// Peek stores in v the members of a canonical document that v knows and
// ignores the others: for a look inside details, whose content is free.
func Peek(data []byte, v any) error {
	if err := validate(data); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v, told); err != nil {
		return plainer(err)
	}
	return nil
}

// diff returns the index of the first byte in which a and b differ.
func diff(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
