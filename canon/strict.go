package canon

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/relseal/relseal/internal/limits"
)

const whiteSpace = " \t\r\n"

// validate returns nil if data is one JSON value within the restrictions.
func validate(data []byte) error {
	if recognise(data) {
		return nil
	}
	return walk(data)
}

// walk is validate for any data: it holds one token after the other to the
// restrictions. jsontext on its own refuses duplicate names and invalid UTF-8,
// but clamps 1e400 and rounds 2^53+1 when it canonicalises.
func walk(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(data))
	for {
		before := d.InputOffset()
		tok, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return errors.New("no JSON value")
		}
		if err != nil {
			return plainer(err)
		}
		if err := restrict(d, tok); err != nil {
			return fmt.Errorf("%s: %w", place(skip(data, before, whiteSpace+",:"), d.StackPointer()), err)
		}
		if d.StackDepth() == 0 {
			break
		}
	}
	if end := skip(data, d.InputOffset(), whiteSpace); end < int64(len(data)) {
		return fmt.Errorf("byte %d: something follows the JSON value", end)
	}
	return nil
}

// skip returns the offset of the first byte of data from i on that is not in cutset.
func skip(data []byte, i int64, cutset string) int64 {
	return int64(len(data) - len(bytes.TrimLeft(data[i:], cutset)))
}

// restrict holds tok, which d has just read, to what RFC 8785 leaves open.
func restrict(d *jsontext.Decoder, tok jsontext.Token) error {
	switch tok.Kind() {
	case '{', '[':
		if d.StackDepth() > limits.JSONDepth {
			return fmt.Errorf("nested deeper than %d", limits.JSONDepth)
		}
	case '"':
		s := tok.String()
		if len(s) > limits.JSONString {
			return fmt.Errorf("string above %d bytes", limits.JSONString)
		}
		if isName(d) && !Printable(s) {
			return errors.New("member name has a character outside U+0020 to U+007E")
		}
	case '0':
		if !isInteger(tok.String()) {
			return errors.New("number is not an integer within ±(2^53-1); write it as a string")
		}
	}
	return nil
}

// isName reports whether the token that d has just read is the name of a member.
func isName(d *jsontext.Decoder) bool {
	kind, n := d.StackIndex(d.StackDepth())
	return kind == '{' && n%2 == 1
}

// Printable reports whether s consists of U+0020 to U+007E, as names, ids,
// paths and uris must.
func Printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// isInteger reports whether s is -?(0|[1-9][0-9]*), not "-0", within ±(2^53−1).
func isInteger(s string) bool {
	digits := s
	if s[0] == '-' {
		digits = s[1:]
	}
	if len(digits) > 16 || s == "-0" {
		return false
	}
	var n int64
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int64(c-'0')
	}
	return n <= limits.JSONInt
}
