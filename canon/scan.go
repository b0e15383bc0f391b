package canon

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/limits"
)

// recognise reports whether data is the canonical form of one value. Nearly
// everything that is read is, so saying so must cost neither a second encoding nor
// an allocation.
//
// False means that the slow way has the last word, and the reason for an error. It
// takes twenty times as long, so nothing canonical is left to it: a hostile trail
// may consist of what is rare. A fuzz test holds the two ways together.
func recognise(data []byte) bool {
	return scanValue(data, 0, 0) == len(data) && utf8.Valid(data)
}

// no is what the functions below return if they do not recognise what starts at
// data[i]. Otherwise they return the index after its end.
const no = -1

// scanValue scans a value inside depth objects and arrays.
func scanValue(data []byte, i, depth int) int {
	if i >= len(data) {
		return no
	}
	switch data[i] {
	case '"':
		return scanString(data, i)
	case '{':
		return scanObject(data, i, depth+1)
	case '[':
		return scanArray(data, i, depth+1)
	case 'n':
		return scanWord(data, i, "null")
	case 't':
		return scanWord(data, i, "true")
	case 'f':
		return scanWord(data, i, "false")
	default:
		return scanInteger(data, i)
	}
}

func scanObject(data []byte, i, depth int) int {
	if depth > limits.JSONDepth {
		return no
	}
	if i+1 < len(data) && data[i+1] == '}' {
		return i + 2
	}
	var last []byte // the name before; nil before the first
	for {
		name, end := scanName(data, i+1)
		if end == no || end == len(data) || data[end] != ':' {
			return no
		}
		// In canonical form the order is that of UTF-16, which is that of bytes for
		// printable ASCII. Equal names are duplicates.
		if last != nil && bytes.Compare(last, name) >= 0 {
			return no
		}
		last = name

		i = scanValue(data, end+1, depth)
		switch {
		case i == no || i == len(data):
			return no
		case data[i] == '}':
			return i + 1
		case data[i] != ',':
			return no
		}
	}
}

func scanArray(data []byte, i, depth int) int {
	if depth > limits.JSONDepth {
		return no
	}
	if i+1 < len(data) && data[i+1] == ']' {
		return i + 2
	}
	for {
		i = scanValue(data, i+1, depth)
		switch {
		case i == no || i == len(data):
			return no
		case data[i] == ']':
			return i + 1
		case data[i] != ',':
			return no
		}
	}
}

// scanName scans a string of U+0020 to U+007E, and returns it without quotes and
// escapes, too.
func scanName(data []byte, i int) (name []byte, end int) {
	if i >= len(data) || data[i] != '"' {
		return nil, no
	}
	end = i + 1
	escapes := 0
	for end < len(data) && data[end] <= 0x7e {
		switch {
		case plain[data[end]]:
			end++
			continue
		case data[end] == '\\' && end+1 < len(data) && (data[end+1] == '"' || data[end+1] == '\\'):
			escapes++
			end += 2
			continue
		}
		break
	}
	if end >= len(data) || data[end] != '"' || end-i-1-escapes > limits.JSONString {
		return nil, no
	}
	name = data[i+1 : end]
	if escapes > 0 {
		name = unescape(name)
	}
	return name, end + 1
}

// unescape returns name with \" and \\, the only escapes in a canonical one, decoded.
func unescape(name []byte) []byte {
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && i+1 < len(name) {
			i++
		}
		out = append(out, name[i])
	}
	return out
}

// scanString scans a string. That its bytes from 0x80 up are UTF-8 is seen to by
// recognise, for all of data at once.
func scanString(data []byte, i int) int {
	escaped := 0 // bytes that decoding takes away
	for end := i + 1 + plainRun(data[i+1:]); end < len(data); {
		switch c := data[end]; {
		case plain[c]:
			end++
		case c == '\\':
			n := escapeLen(data[end:])
			if n == 0 {
				return no
			}
			end += n
			escaped += n - 1
		case c == '"' && end-i-1-escaped <= limits.JSONString:
			return end + 1
		default:
			return no
		}
	}
	return no
}

// plain says which bytes of a string stand for themselves.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return t
}()

// escapeLen returns the length of the escape at the start of s if it is the one
// that RFC 8785 prescribes for its character, otherwise 0.
func escapeLen(s []byte) int {
	if len(s) >= 2 && strings.IndexByte(`"\bfnrt`, s[1]) >= 0 {
		return 2
	}
	if len(s) < 6 || string(s[:4]) != `\u00` {
		return 0
	}
	// The other control characters, of which \b is 08, \t 09, \n 0a, \f 0c and \r 0d.
	if s[4] == '0' && strings.IndexByte("01234567bef", s[5]) >= 0 ||
		s[4] == '1' && strings.IndexByte("0123456789abcdef", s[5]) >= 0 {
		return 6
	}
	return 0
}

// scanInteger scans an integer within ±(2^53−1).
func scanInteger(data []byte, i int) int {
	negative := data[i] == '-'
	if negative {
		i++
	}
	end := i
	for end < len(data) && data[end]-'0' <= 9 {
		end++
	}
	switch n := end - i; {
	case n == 0 || n > 16, data[i] == '0' && (n > 1 || negative):
		return no
	case n == 16 && !isInteger(string(data[i:end])): // those of 15 digits all are
		return no
	}
	return end
}

func scanWord(data []byte, i int, word string) int {
	if end := i + len(word); end <= len(data) && string(data[i:end]) == word {
		return end
	}
	return no
}
