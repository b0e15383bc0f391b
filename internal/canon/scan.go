package canon

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/relseal/relseal/internal/limits"
)

// recognise reports whether data is certainly the canonical form of one value.
// Nearly everything that is read is, so saying so must cost neither a second
// encoding nor an allocation.
//
// False means that the slow way has the last word, and the reason for an error.
// Besides whatever is wrong, it takes the few canonical documents whose cases
// would make the scanner longer than they are worth: those with an escape in a
// member name, an integer of 16 digits, or a string that is within its limit only
// when its escapes are decoded. A fuzz test holds the two ways together.
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
		end := scanName(data, i+1)
		if end == no || end == len(data) || data[end] != ':' {
			return no
		}
		// In canonical form the order is that of UTF-16, which is that of bytes for
		// printable ASCII. Equal names are duplicates.
		name := data[i+2 : end-1]
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

// scanName scans a string of U+0020 to U+007E without escapes.
func scanName(data []byte, i int) int {
	if i >= len(data) || data[i] != '"' {
		return no
	}
	end := i + 1
	for end < len(data) && plain[data[end]] && data[end] <= 0x7e {
		end++
	}
	if end == len(data) || data[end] != '"' || end-i-1 > limits.JSONString {
		return no
	}
	return end + 1
}

// scanString scans a string. That its bytes from 0x80 up are UTF-8 is seen to by
// recognise, for all of data at once.
func scanString(data []byte, i int) int {
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
		case c == '"' && end-i-1 <= limits.JSONString:
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

// scanInteger scans an integer of at most 15 digits, all of which are within ±(2^53−1).
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
	case n == 0 || n > 15, data[i] == '0' && (n > 1 || negative):
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
