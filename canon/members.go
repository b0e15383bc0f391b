package canon

import (
	"bytes"
	"iter"
)

// Members returns the members of the object that data holds, in their order,
// each name without its quotes and each value as it stands there: the bytes that
// a digest is taken of, without decoding the rest. Both are parts of data, and
// nothing is allocated.
//
// It is for data that [Check] or [Unmarshal] accepts; in other data it may find
// anything, but it does not panic. A value that is no object has no members. In a
// name, " and \ stand with a \ before them.
func Members(data []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		if len(data) == 0 || data[0] != '{' {
			return
		}
		for i := 1; i < len(data) && data[i] == '"'; i++ {
			colon := skipString(data, i)
			end := skipValue(data, colon+1)
			if end >= len(data) || !yield(data[i+1:colon-1], data[colon+1:end]) {
				return
			}
			i = end
		}
	}
}

// skipValue returns the index of the comma or bracket after the value that starts
// at data[i], len(data) if there is none.
func skipValue(data []byte, i int) int {
	for depth := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = skipString(data, i) - 1
		case '{', '[':
			depth++
		case '}', ']', ',':
			if depth == 0 {
				return i
			}
			if data[i] != ',' {
				depth--
			}
		}
	}
	return len(data)
}

// skipString returns the index after the string that starts at data[i], len(data)
// if it does not end.
func skipString(data []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return len(data)
		}
		i += n
		escapes := 0
		for data[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}
